/* The queue file: one message, whole. Runs in: cleanup (writes), qmgr (reads, keeps states), postrider (reads).
 *
 *   0                 queue_head, then zeros
 *   4096              the content as it came, CRLF, dots removed; when cleanup changed it: left, or a hole, and behind it, from
 *                     a multiple of 4096 on, the content as it is now
 *   content_offset    fields that cleanup added, ending where the content begins
 *   envelope_offset   a length (4 octets) and an envelope; then a length and an envelope_recipient for each recipient
 *   slots_offset      a queue_slot for each recipient, rewritten in place; then zeros, fewer than QUEUE_PREPARED_MAX
 *   the last 32       queue_end
 *
 * Numbers are little-endian. man/postrider-queue.5 has it octet by octet. Faults: FAULT_REFUSED: never finished, so never
 * acknowledged; FAULT_BROKEN: damaged; FAULT_TRY_LATER: the disk. */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/fault.h"
#include "ipc/talk/envelope.h"

enum {
    QUEUE_CONTENT_START = 4096,
    QUEUE_SCHEDULE_AT = 256,
    QUEUE_ADDED_MAX = 4096 - 512, /* what cleanup may put in front of the content */
    QUEUE_ENVELOPE_MAX = 64 * 1024 * 1024,
    QUEUE_PREPARED_MAX = 64 * 1024, /* zeros that stand in a file before its message */
};

typedef struct queue_head {
    char magic[8]; /* QUEUE_MAGIC: kind and version */
    uint64_t id;
    uint64_t arrived_us;
    uint64_t content_offset;
    uint64_t content_bytes; /* added fields and content */
    uint64_t checked_bytes; /* the content without added fields */
    uint64_t envelope_offset;
    uint64_t envelope_bytes;
    uint64_t slots_offset;
    uint32_t recipient_count;
    uint32_t content_checksum; /* of the checked bytes */
    uint32_t reserved;
    uint32_t head_checksum; /* of what stands before it in this struct */
} queue_head;

/* When it is tried next; rewritten in place. */
typedef struct queue_schedule {
    uint64_t next_try_s;
    uint32_t tries;
    uint32_t checksum; /* of the two before it; wrong: tried at once */
} queue_schedule;

typedef enum slot_state { SLOT_PENDING, SLOT_DELIVERED, SLOT_DEFERRED, SLOT_FAILED } slot_state;

enum { SLOT_TOLD_FAILURE = 1, SLOT_TOLD_DELAY = 2, SLOT_TOLD_SUCCESS = 4 };

typedef struct queue_slot {
    uint32_t checksum; /* of what follows; wrong: pending (a torn write may deliver twice, never lose) */
    uint8_t state;     /* slot_state */
    uint8_t told;      /* SLOT_TOLD_…: which reports of it are durable */
    uint8_t action;    /* of a delivered one, for its report: a report_action; 0: delivered here */
    uint8_t reserved;
    uint64_t when_s;
    char status[8];   /* "2.0.0" as sent, ends in NUL */
    char reason[104]; /* ends in NUL */
} queue_slot;

typedef struct queue_end {
    char magic[8];
    uint64_t id;
    uint64_t file_bytes;        /* of the whole file */
    uint32_t envelope_checksum; /* of the envelope and, before it, the added fields */
    uint32_t end_checksum;      /* of what stands before it in this struct */
} queue_end;

/* A message that was read. Views live in the arena given. */
typedef struct queue_message {
    queue_head head;
    queue_schedule schedule;
    envelope envelope;
    envelope_recipient *recipients;
    queue_slot *slots;
} queue_message;

/* Makes the file whole: head, added fields, envelope, empty slots, end. The content stands at `content_start` already (0:
 * QUEUE_CONTENT_START, written through another descriptor), unless it is given: then it is written there, all in one call.
 * `records` is what queue_records_* appended. A prepared file of so many zeros keeps its size if the message has room in it: then its
 * blocks stay, too. Not durable until the caller's fsync. */
typedef struct queue_finish_args {
    uint64_t id, arrived_us, content_start, content_bytes;
    uint32_t content_checksum, recipient_count, prepared_bytes;
    str added, records, content;
} queue_finish_args;
fault queue_finish(int fd, const queue_finish_args *args);

/* Octets that the message takes, up to its end mark, if nothing is prepared. */
uint64_t queue_finished_bytes(const queue_finish_args *args);

/* Where a changed content of a message of so many bytes begins: behind it, with room in front for the added fields. */
uint64_t queue_content_behind(uint64_t content_bytes);

/* Where the content begins, behind the added fields. */
static inline uint64_t queue_content_start(const queue_head *h)
{
    return h->content_offset + (h->content_bytes - h->checked_bytes);
}

bool queue_records_envelope(buf *records, const envelope *e);
bool queue_records_recipient(buf *records, const envelope_recipient *r);

/* The domain of an address of an envelope: behind the last @, or empty. */
str queue_domain(str address);

/* Reads and checks everything but the content. */
fault queue_read(int fd, arena *a, queue_message *out);

/* Reads when it came and when it is tried next, in one read. FAULT_BROKEN: the head is damaged. */
fault queue_times_read(int fd, uint64_t *arrived_s_out, queue_schedule *out);

/* Reads the whole content and compares its checksum. FAULT_BROKEN when it is another. */
fault queue_content_check(int fd, const queue_head *head);

queue_slot queue_slot_make(slot_state state, uint64_t when_s, const char *status, str reason);
void queue_slot_tell(queue_slot *slot, unsigned told); /* adds SLOT_TOLD_… */
fault queue_slot_write(int fd, const queue_head *head, uint32_t recipient, const queue_slot *slot);
fault queue_schedule_write(int fd, uint64_t next_try_s, uint32_t tries);
