/* Where a message of a local program goes: to cleanup, by the submit socket of a running suite; else into the drop folder, where
 * the next start picks it up. Small messages are kept in memory until then, so that a suite that stops in between loses none
 * and a slow program holds no queue file. Runs in: sendmail. The sink owns its descriptors.
 * Fails: FAULT_TRY_LATER (the disk, the suite), FAULT_REFUSED (size, cleanup's no). Nothing is queued then. */
#pragma once
#include "conf/config.h"
#include "ctl/sendmail/drop.h"
#include "ctl/sendmail/recipients.h"
#include "ctl/sendmail/submit.h"
#include "ipc/talk/envelope.h"

enum { SINK_HELD_MAX = 1024 * 1024 };

typedef struct sink {
    const config *config;
    buf held;         /* not written yet; all of it while has_begun is false */
    bool has_begun;   /* content was written away that cannot be written again */
    bool is_dropping; /* into the drop folder */
    submit submit;
    drop drop;
    uint64_t bytes;
    uint32_t checksum;
} sink;

/* What is the same for each recipient, besides the envelope. */
typedef struct wishes {
    uint32_t notify; /* NOTIFY_… */
} wishes;

sink sink_new(const config *c);
fault sink_write(sink *s, str bytes);

/* The end: durable when it returns without fault. *out_id: of the queue; 0 when it was dropped. */
fault sink_commit(sink *s, const envelope *e, const recipients *to, const wishes *w, uint64_t *out_id);
void sink_free(sink *s); /* also gives up what was begun */
