/* A POP3 session in its transaction state (RFC 1939 5): a snapshot of INBOX, marks, and at QUIT the update. Long answers go out as
 * the client takes them. Runs in: pop3d-worker. */
#pragma once
#include "loop/stream.h"
#include "pop3d/worker/server.h"
#include "proto/dot_stuff.h"
#include "proto/line.h"
#include "proto/pop3_command.h"
#include "proto/pop3_top.h"

enum {
    INPUT_MAX = 64 * 1024,
    OUTPUT_HIGH = 64 * 1024, /* unsent bytes at which a session waits for its client */
    OUTPUT_MAX = 1024 * 1024,
    BAD_COMMANDS_MAX = 20, /* in a row */
    COMMANDS_A_ROUND = 100,
};

typedef enum mode {
    MODE_COMMANDS,
    MODE_LISTING, /* LIST, UIDL of all */
    MODE_SENDING, /* RETR, TOP */
    MODE_END,
} mode;

typedef struct listing {
    bool is_uidl;
    uint32_t from; /* next UID */
} listing;

typedef struct sending {
    message_file file;
    dot_stuff stuff;
    pop3_top top;
    bool is_top;
} sending;

struct session {
    server *server;
    session *next, **at;
    stream stream;
    task go_on;
    mode mode;
    line_reader lines;
    mailbox *box;   /* NULL: somebody else has the maildrop */
    uint32_t count; /* messages at login */
    uint64_t bytes; /* of those that are not marked */
    uid_set deleted, retrieved;
    listing listing;
    sending sending;
    str id;
    uint64_t timeout_s, bytes_in, bytes_out, bytes_out_seen;
    unsigned bad_commands;
    const char *end_reason; /* static */
};

void session_start(server *v, const session_open *m, int fd); /* takes the descriptor */

void session_reply(session *s, const char *format, ...) __attribute__((format(printf, 2, 3))); /* one line */
void session_bad(session *s, const char *problem); /* -ERR; too many in a row end the session */
void session_write(session *s, str bytes);
void session_end(session *s, const char *line, const char *reason);
bool session_has_room(const session *s);

/* verbs.c */
void session_command(session *s, str line);

/* send.c: both true when all is said. */
void send_start(session *s, uint32_t uid, bool is_top, uint32_t lines);
bool send_step(session *s);
void send_stop(session *s);
bool list_step(session *s);
