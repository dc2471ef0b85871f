/* The message at hand: its open file, its structure, and where in it the last piece was read, so that a client which asks for a
 * large message in many small pieces does not have it read from the start each time. Runs in: imapd-worker; one a session, empty
 * while nobody asks. Whatever reads a whole message fills the cache with all that can be known of it (STORE).
 * Fails: FAULT_REFUSED: the message is gone; FAULT_TRY_LATER: the disk. */
#pragma once
#include "base/arena.h"
#include "mail/mime.h"
#include "store/store.h"

typedef struct place { /* in the file, and what of the message stands in front of it */
    uint64_t stored, wire;
    bool is_behind_cr;
} place;

typedef struct reading {
    uint32_t uid; /* 0: none */
    message_file file;
    arena mem;
    const mime_part *root; /* NULL: not read yet */
    place last;
} reading;

typedef struct server server;

fault reading_open(reading *r, mailbox *m, uint32_t uid); /* no-op when it is at hand */
void reading_close(reading *r);

/* Reads the whole: `root` is set, envelope, structures and header are in the cache. */
fault reading_parse(reading *r, server *v, mailbox *m);

/* Calls `use` with the bytes from..to of the file as they are stored, in pieces; until it says true. */
typedef bool reading_use(void *context, str piece);
fault reading_scan(reading *r, server *v, uint64_t from, uint64_t to, reading_use *use, void *context);

/* Bytes of the message as the client counts them, on their way out. */
typedef struct pour {
    place at;      /* where reading goes on */
    uint64_t skip; /* bytes behind `at` that are not wanted */
    uint64_t left;
} pour;

pour pour_open(const reading *r, mime_mark from, uint64_t skip, uint64_t bytes);
/* Appends the next piece to `out`: some 32 KiB. Fails also when the file ends too early. */
fault pour_next(pour *p, reading *r, server *v, buf *out);

/* These take from the cache, and read the message when it has not what is asked for. mailbox_cache_release is due before any
 * other call. Appends the text of CACHE_ENVELOPE, CACHE_BODY or CACHE_STRUCTURE. */
fault reading_text(reading *r, server *v, mailbox *m, uint32_t uid, char kind, buf *out);
/* The header with CRLF: a view into the cache, or into `spare` when it is too large for that, cut to what `spare` may hold. */
fault reading_header(reading *r, server *v, mailbox *m, uint32_t uid, buf *spare, str *out);

/* Appends a part of the message with CRLF, as much as `out` may hold. */
fault reading_part(reading *r, server *v, mime_mark from, mime_mark to, buf *out);
