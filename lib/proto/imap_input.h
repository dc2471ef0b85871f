/* Collects IMAP commands from bytes that arrive in pieces: lines with literals, synchronising {n} or not {n+} (RFC
 * 3501 4.3, RFC 7888).
 * Runs in: login (small limits), imapd's worker. Owns the bytes of one command; memory grows as bytes come, never by
 * what a client announces. A literal that carries APPEND's message is not collected but handed through in pieces.
 * Fails: PARSE_BAD with `problem`; the rest of that command, literals included, is skipped and never read as a
 * command. When is_fatal the stream cannot be followed any more: say BYE and close.
 *
 *     on bytes: p = imap_input_feed(&input, in, &used);
 *       PARSE_MORE: if (input.wants_continuation) send "+ OK", feed the rest
 *       PARSE_DONE: imap_command_parse(imap_input_command(&input), …), answer, imap_input_next(&input)
 *       PARSE_BAD:  answer BAD with imap_input_tag(&input), imap_input_next(&input) */
#pragma once
#include "base/buf.h"
#include "base/parse.h"

typedef struct imap_limits {
    size_t line_bytes;     /* of one command without its literals */
    size_t command_bytes;  /* with literals, but APPEND's message */
    uint64_t append_bytes; /* APPEND's message; 0: no streaming, APPEND is a command like others */
} imap_limits;

#define IMAP_LIMITS_BEFORE_LOGIN ((imap_limits){ .line_bytes = 8192, .command_bytes = 16384 })
#define IMAP_LIMITS(append_max) \
    ((imap_limits){ .line_bytes = 65536, .command_bytes = 131072, .append_bytes = (append_max) })

typedef enum imap_input_problem {
    IMAP_INPUT_FINE,
    IMAP_INPUT_LINE_TOO_LONG,
    IMAP_INPUT_LITERAL_TOO_BIG, /* RFC 7888 5: NO or BAD with [TOOBIG] */
    IMAP_INPUT_BAD_BYTE,        /* NUL, or CR without LF, outside a literal */
} imap_input_problem;

typedef struct imap_input {
    imap_limits limits;
    buf command;
    bool wants_continuation; /* after PARSE_MORE: the client waits for "+ " */
    bool has_message;        /* after PARSE_DONE: an APPEND; its message comes next (imap_input_accept or _refuse) */
    bool is_sync;            /* has_message: the client waits for "+ " before it sends it */
    uint64_t message_bytes;  /* has_message: announced size */
    imap_input_problem problem;
    bool is_fatal;
    enum {
        IMAP_IN_LINE,
        IMAP_IN_LITERAL,
        IMAP_AT_MESSAGE,
        IMAP_IN_MESSAGE,
        IMAP_BEHIND_MESSAGE,
        IMAP_SKIP_LITERAL,
        IMAP_SKIP_LINE,
        IMAP_AT_END, /* of a command: imap_input_next is due */
    } state;
    uint64_t literal_left;
    size_t line_bytes; /* of this command, outside literals */
    size_t line_start; /* offset in `command` of the line that is being read */
    bool last_was_cr;
    char tail[24]; /* last bytes of a line that is being skipped: it may announce a literal */
    size_t tail_n;
} imap_input;

imap_input imap_input_new(imap_limits limits);
void imap_input_free(imap_input *i); /* may be used again: an idle session holds no memory */

/* Takes *used octets off the front of `in`; what is left is fed again after the answer, or after the "+ ". */
parse imap_input_feed(imap_input *i, str in, size_t *used);

static inline str imap_input_command(const imap_input *i) /* without the last line end */
{
    return buf_str(&i->command);
}

/* The tag of the command so far, for a BAD; "*" when there is none that may be repeated to the client. */
str imap_input_tag(const imap_input *i);

/* Forgets the command (overwriting it: it may hold a password); the next feed begins another, or goes on skipping.
 * Due after PARSE_DONE and PARSE_BAD of feed and of message, and after refuse. */
void imap_input_next(imap_input *i);

/* After PARSE_DONE with has_message, when the caller wants it: sends "+ " if is_sync, then gives all input to
 * imap_input_message. PARSE_MORE: *piece (may be empty) is of the message. PARSE_DONE: message and line end are
 * through.
 * PARSE_BAD: something else stands behind the message: the append must not happen. */
void imap_input_accept(imap_input *i);
parse imap_input_message(imap_input *i, str in, str *piece, size_t *used);

/* When the caller does not want it, or the command did not parse (and answers NO or BAD): a client that did not wait
 * has its bytes skipped. */
void imap_input_refuse(imap_input *i);
