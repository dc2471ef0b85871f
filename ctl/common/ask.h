/* One question to a running suite over public/ctl or public/queue (ipc/talk/admin.h), waited for. Runs in: postrider, mailq,
 * sendmail -q. */
#pragma once
#include "ctl/common/public.h"

/* A row of the answer; `fd` is -1 or the row's descriptor, closed after the call. */
typedef void ask_row(void *context, str row, int fd);

typedef struct ask_answer {
    bool is_running;
    bool is_ended;  /* the answer came whole; else the other side closed */
    uint32_t count; /* what the other side counted: rows, or messages that were changed */
    fault fault;
} ask_answer;

/* `each` may be NULL. */
ask_answer ask(const config *c, const char *socket, str verb, str argument, ask_row *each, void *context);
