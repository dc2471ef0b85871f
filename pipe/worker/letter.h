/* The message as a command or file gets it: fields on top, then the content with LF line ends. Runs in: pipe-worker. The holder
 * owns the descriptor. */
#pragma once
#include "base/buf.h"
#include "base/fault.h"
#include "ipc/talk/deliver.h"
#include <sys/types.h>

enum { LETTER_PIECE = 32 * 1024 };

typedef struct letter {
    const deliver_request *request;
    int fd;
    uint64_t done; /* of the content */
    buf front;
    size_t front_done;
    bool has_cr;   /* the last byte read was a CR, which is not handed out yet */
    bool has_line; /* what was handed out last ended a line */
    bool is_over;
} letter;

/* Reads it once: content that does not match its checksum is delivered to nobody, nor is what this recipient had before.
 * Fails: FAULT_BROKEN, FAULT_REFUSED (5.4.6), FAULT_TRY_LATER. */
fault letter_check(const deliver_request *m, int fd);

/* For a command: begins with a From_ line. */
fault letter_open(letter *l, const deliver_request *m, int fd);

/* The next bytes, at most `room` (2 at least). 0: the end; -1: the file cannot be read. */
ssize_t letter_read(letter *l, char *out, size_t room);
void letter_close(letter *l); /* not the descriptor */
