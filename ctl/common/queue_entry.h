/* One message of the queue, as it was read from its file. Runs in: postrider queue, mailq. An entry lives during the call. */
#pragma once
#include "queue/file.h"
#include "queue/tree.h"

typedef struct queue_entry {
    uint64_t id;
    queue_place place;
    uint64_t next_try_s; /* 0: not known */
    int fd;              /* its file, for reading */
    fault fault;         /* it could not be read: `file` is empty then */
    queue_message file;
} queue_entry;

typedef void queue_entry_fn(void *context, const queue_entry *e);

/* Reads a file of the queue by its descriptor. e->fd stays the caller's; views live in the arena. */
void queue_entry_read(int fd, arena *a, queue_entry *e);

const char *slot_state_text(uint8_t state); /* "pending", "delivered", "deferred", "failed" */
bool slot_is_open(const queue_slot *s);     /* pending or deferred: it is tried again */
