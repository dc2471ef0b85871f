/* Lists of who gets the mail: the values of aliases(5), and the text of .forward and of files given as :include:. No I/O. Runs in:
 * policy, workers of local, pipe, the postrider command. Any bytes give some members, in linear time; texts live in the caller's arena.
 *
 *     str rest = alias_list_open(text, &mem);
 *     alias_member m;
 *     while (alias_list_next(&rest, &mem, &m)) … */
#pragma once
#include "base/arena.h"

typedef enum alias_kind {
    MEMBER_ADDRESS, /* "name@domain" or "name", as address_parse takes it; comments and the name before <…> are taken off */
    MEMBER_FINAL,   /* \name: `text` is without the backslash */
    MEMBER_COMMAND, /* "|command" */
    MEMBER_FILE,    /* "/file" */
    MEMBER_INCLUDE, /* ":include:/file" */
    MEMBER_BAD,     /* none of them: for a line in the log, not to be sent to */
} alias_kind;

typedef struct alias_member {
    alias_kind kind;
    str text;
} alias_member;

/* Lines end a member, as commas do; a line that begins with a blank goes on with the one before; a line whose first character besides
 * blanks is '#' is a comment. The result is for alias_list_next. */
str alias_list_open(str text, arena *mem);
bool alias_list_next(str *rest, arena *mem, alias_member *out);

/* The members of one line or of an alias's value, as they stand there: a, "|cmd arg", :include:/x. Quotes around a whole member (or
 * behind its '|') come off. False: no more. */
bool alias_next(str *rest, arena *a, str *out);

/* What a member is. */
alias_member alias_member_read(str member, arena *mem);

/* The end of a quoted run that begins at text.p[0] == '"', behind its closing quote; 0 when it does not close. */
size_t quoted_run(str text);

/* The inside of "…" with its backslashes taken off. */
str quoted_inside(str quoted, arena *a);
