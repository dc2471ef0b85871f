#include "proto/pop3_command.h"
#include "base/num.h"

typedef enum shape {
    SHAPE_NONE,
    SHAPE_TEXT, /* the rest of the line, blanks included */
    SHAPE_NUMBER,
    SHAPE_OPTIONAL_NUMBER,
    SHAPE_NUMBER_LINES, /* message and number of lines */
    SHAPE_MECHANISM,    /* nothing, or a mechanism and perhaps an initial response */
} shape;

typedef struct row {
    str name;
    pop3_verb verb;
    unsigned legal_in;
    shape shape;
} row;

static const row rows[] = {
    { STR_ROW("AUTH"), POP3_AUTH, POP3_AUTHORIZATION, SHAPE_MECHANISM },
    { STR_ROW("CAPA"), POP3_CAPA, POP3_ANY, SHAPE_NONE },
    { STR_ROW("DELE"), POP3_DELE, POP3_TRANSACTION, SHAPE_NUMBER },
    { STR_ROW("LIST"), POP3_LIST, POP3_TRANSACTION, SHAPE_OPTIONAL_NUMBER },
    { STR_ROW("NOOP"), POP3_NOOP, POP3_TRANSACTION, SHAPE_NONE },
    { STR_ROW("PASS"), POP3_PASS, POP3_AUTHORIZATION, SHAPE_TEXT },
    { STR_ROW("QUIT"), POP3_QUIT, POP3_ANY, SHAPE_NONE },
    { STR_ROW("RETR"), POP3_RETR, POP3_TRANSACTION, SHAPE_NUMBER },
    { STR_ROW("RSET"), POP3_RSET, POP3_TRANSACTION, SHAPE_NONE },
    { STR_ROW("STAT"), POP3_STAT, POP3_TRANSACTION, SHAPE_NONE },
    { STR_ROW("STLS"), POP3_STLS, POP3_AUTHORIZATION, SHAPE_NONE },
    { STR_ROW("TOP"), POP3_TOP, POP3_TRANSACTION, SHAPE_NUMBER_LINES },
    { STR_ROW("UIDL"), POP3_UIDL, POP3_TRANSACTION, SHAPE_OPTIONAL_NUMBER },
    { STR_ROW("USER"), POP3_USER, POP3_AUTHORIZATION, SHAPE_TEXT },
};

static const row *row_find(str name)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (str_equal_nocase(rows[i].name, name))
            return &rows[i];
    return NULL;
}

static const char *number_read(str *rest, uint64_t min, uint32_t *out)
{
    uint64_t n;
    str word;

    if (!str_word(rest, " ", &word))
        return "Argument missing";
    if (!num_parse(word, min, UINT32_MAX, &n))
        return "Invalid number";
    *out = (uint32_t)n;
    return NULL;
}

static const char *text_read(str rest, pop3_command *out)
{
    out->argument = rest;
    return rest.n ? NULL : "Argument missing";
}

static const char *numbers_read(str *rest, shape wanted, pop3_command *out)
{
    const char *problem = number_read(rest, 1, &out->number);

    out->has_number = problem == NULL;
    if (problem == NULL && wanted == SHAPE_NUMBER_LINES)
        problem = number_read(rest, 0, &out->lines);
    return problem;
}

static void mechanism_read(str *rest, pop3_command *out)
{
    if (!str_word(rest, " ", &out->argument))
        out->argument = STR("");
    if (!str_word(rest, " ", &out->initial))
        out->initial = STR_NONE;
}

/* NULL, or what is wrong. */
static const char *arguments_read(str rest, shape wanted, pop3_command *out)
{
    const char *problem = NULL;

    if (wanted == SHAPE_TEXT)
        return text_read(rest, out);
    if (wanted == SHAPE_MECHANISM)
        mechanism_read(&rest, out);
    else if (wanted != SHAPE_NONE && !(wanted == SHAPE_OPTIONAL_NUMBER && str_trim(rest).n == 0))
        problem = numbers_read(&rest, wanted, out);
    return problem ? problem : str_trim(rest).n ? "Too many arguments" : NULL;
}

parse pop3_command_parse(str line, pop3_command *out)
{
    size_t space = str_find(line, ' ');
    const row *r = row_find(str_upto(line, space));

    *out = (pop3_command){ .problem = "Unknown command" };
    if (r == NULL)
        return PARSE_BAD;
    out->verb = r->verb;
    out->legal_in = r->legal_in;
    out->problem = arguments_read(str_from(line, space + 1), r->shape, out);
    return out->problem ? PARSE_BAD : PARSE_DONE;
}
