/* A message left in the drop folder while the suite is down: a queue file with its end and checksum but no id. It has a name only
 * once it is whole, so that a kill in between leaves nothing. Runs in: sendmail, as whoever calls it. */
#pragma once
#include "base/fault.h"
#include "conf/config.h"
#include "ctl/sendmail/recipients.h"
#include "ipc/talk/envelope.h"

enum { DROP_RANDOM_BYTES = 16 };

typedef struct drop {
    int fd; /* stands where the content begins; -1: not open */
    int folder;
    char name[2 * DROP_RANDOM_BYTES + 1];
    bool has_name; /* the file system has no nameless files: it is removed when it is given up */
} drop;

fault drop_open(drop *d, const config *c);

/* Durable when it returns without fault. Closes. */
fault drop_finish(drop *d, const envelope *e, const recipients *to, uint32_t notify, uint64_t bytes, uint32_t checksum);
void drop_close(drop *d);
