/* An IMAP session after login: commands in the order in which they come, one at a time. A command that may take long is a job,
 * which goes on step by step as the output has room, so that no client holds up another or more than a bounded amount of
 * memory. Runs in: imapd-worker. `mem` lives for one command. */
#pragma once
#include "base/arena.h"
#include "imapd/worker/reading.h"
#include "imapd/worker/server.h"
#include "loop/stream.h"
#include "proto/imap_command.h"
#include "proto/imap_input.h"

enum {
    INPUT_MAX = 128 * 1024,
    OUTPUT_HIGH = 64 * 1024,         /* unsent bytes at which a session waits for its client */
    OUTPUT_MAX = 64 * 1024 * 1024,   /* the largest single item above that */
    MESSAGE_MAX = 512 * 1024 * 1024, /* APPEND */
    BAD_COMMANDS_MAX = 20,           /* in a row */
    COMMANDS_A_ROUND = 100,
};

typedef struct session session;

typedef struct job {                         /* a command that is under way; lives in `mem` */
    bool (*step)(session *s, struct job *j); /* until session_has_room says no. True: done; the command is answered */
    void (*drop)(struct job *j);             /* frees what it holds; at the end in any case; may be NULL */
} job;

typedef enum mode {
    MODE_COMMANDS,
    MODE_JOB,
    MODE_APPEND, /* the message comes in */
    MODE_IDLE,   /* until DONE */
    MODE_END,
} mode;

struct session {
    server *server;
    session *next, **at;
    stream stream;
    task go_on;
    mode mode;
    imap_input input;
    arena mem;
    imap_command command; /* the one at hand */
    unsigned tells;       /* enum tells of its verb */
    bool is_answered;
    job *job;
    delivery *delivery; /* APPEND's */
    fault append_fault; /* why it will not be */
    mailbox *box;       /* NULL: none is selected */
    uid_set flags_due;  /* changes that the client is still to hear of */
    uint64_t synced_ms; /* when the folder was last looked at */
    bool has_no_watch;  /* in IDLE: the folder is polled */
    bool is_notice_due; /* in IDLE: the client was too slow to be told */
    bool is_deleting;     /* a mailbox: the selected one may go with it */
    reading reading;    /* the message at hand */
    str id;
    uint64_t timeout_s, bytes_in, bytes_out, bytes_out_seen;
    unsigned bad_commands;
    const char *end_reason; /* static */
};

/* Takes the descriptor. */
void session_start(server *v, const session_open *m, int fd);

/* Untagged responses; a whole line each, or pieces of one. */
void session_write(session *s, str bytes);
void session_printf(session *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The tagged response, "OK …", "NO …" or "BAD …", after what the client is to hear of its mailbox. The handler returns then. */
void session_answer(session *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void session_answer_text(session *s, str text);
void session_answer_fault(session *s, fault f); /* NO, with a response code (RFC 5530) */

/* The rest of the command is the job's. */
void session_start_job(session *s, job *j);
bool session_has_room(session *s); /* for another piece of output, and time for it */

/* A set of the command as UIDs of the selected mailbox. False: a sequence number too large: BAD was answered. */
bool session_pick(session *s, const imap_set *set, bool is_uid, uid_set *out);

void session_deselect(session *s);
void session_bye(session *s, const char *text, const char *reason); /* says so and ends */
void session_later(session *s);                                     /* goes on in the next round */
void session_notice(session *s);                                    /* in IDLE: what happened to its mailbox */
void session_rest(session *s);                                      /* nobody asks: gives back what can be had again */

/* The table of verbs: runs the handler of s->command. */
enum tells { TELLS_ALL, TELLS_NO_EXPUNGE, TELLS_NOTHING };
void session_dispatch(session *s);

#define CAPABILITIES "IMAP4rev1 LITERAL+ ID ENABLE IDLE NAMESPACE CHILDREN UIDPLUS UNSELECT MOVE"
