/* A POP3 session after login (RFC 1939 5 and 6, RFC 2449): one command at a time; a message goes out piece by piece as the client
 * takes it. Runs in: pop3d-worker. */
#pragma once
#include "ipc/talk/session.h"
#include "loop/stream.h"
#include "pop3d/worker/maildrop.h"
#include "proto/dot_stuff.h"
#include "proto/line.h"
#include "proto/pop3_command.h"
#include "proto/pop3_top.h"

typedef struct session session;

typedef struct server { /* what sessions of a user share */
    loop *loop;
    store *store;
    session *holder; /* of the maildrop: the one session that has it */
    size_t sessions;
    void (*on_closed)(void *context, const session_closed *m);
    void *context;
} server;

typedef struct sending { /* RETR or TOP under way */
    bool is_on, is_top;
    message_file file;
    dot_stuff stuff;
    pop3_top top;
} sending;

struct session {
    server *server;
    stream stream;
    line_reader lines;
    maildrop drop;
    sending sending;
    char id[64];
    uint64_t bytes_in, bytes_out;
    unsigned errors;
    const char *end_reason; /* static */
};

/* Takes the descriptor; greets with the number of messages, or refuses while another session has the maildrop (RFC 2449 8.1.1). */
void session_start(server *v, const session_open *m, int fd);

/* One command, answered or begun. */
void session_command(session *s, const pop3_command *c);

void session_say(session *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void session_finish(session *s, const char *reason);

/* Goes on with a message as far as the output has room. */
void sending_go_on(session *s);
void sending_stop(session *s);
