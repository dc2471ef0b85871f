/* Questions to a running suite over public/ctl or public/queue (ipc/talk/admin.h), waited for. Runs in: postrider, mailq,
 * sendmail -q. */
#pragma once
#include "ctl/common/public.h"

/* A row of the answer, with its descriptors; they are closed after the call but those that it set to -1 to keep them. */
typedef void ask_row(void *context, str row, int *fds, size_t fd_count);

typedef struct ask_answer {
    bool is_running;
    bool is_ended;  /* the answer came whole; else the other side closed */
    uint32_t count; /* what the other side counted: rows, or messages that were changed */
    fault fault;
} ask_answer;

/* `each` may be NULL. */
ask_answer ask(const config *c, const char *socket, str verb, str argument, ask_row *each, void *context);

/* The same on a connection that stays for further questions. */
typedef struct ask_line ask_line;
ask_line *ask_open(const config *c, const char *socket,
                   ask_answer *out); /* NULL: *out says why: not running, or a fault */
ask_answer ask_next(ask_line *l, str verb, str argument, ask_row *each, void *context);
void ask_close(ask_line *l); /* NULL will do */
