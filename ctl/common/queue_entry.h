/* The messages of the queue, one after the other: asked of qmgr when the suite runs, else read from its folders, by the same
 * code. Runs in: postrider queue, mailq. An entry lives during the call. */
#pragma once
#include "ctl/common/ask.h"
#include "queue/file.h"
#include "queue/tree.h"

typedef struct queue_entry {
    queue_name id;
    queue_place place;
    uint64_t next_try_s; /* 0: not known */
    int fd;              /* its file, for reading */
    fault fault;         /* it could not be read: `file` is empty then */
    queue_message file;
} queue_entry;

typedef void queue_entry_fn(void *context, const queue_entry *e);

typedef struct queue_looked {
    bool is_running;
    size_t count;
    fault fault;
} queue_looked;

/* All messages, oldest first. */
queue_looked queue_look(const config *c, queue_entry_fn *each, void *context);

/* The one of this id. FAULT_REFUSED: there is none. */
queue_looked queue_look_one(const config *c, str id, queue_entry_fn *each, void *context);

/* The folder of a stopped suite's queue; -1 and a fault. */
int queue_folder_open(const config *c, fault *out_fault);

/* Where the message is in a stopped suite's queue. */
bool queue_find(int queue_fd, uint64_t id, queue_place *out);

/* Reads a file of the queue by its descriptor. e->fd stays the caller's; views live in the arena. */
void queue_entry_read(int fd, arena *a, queue_entry *e);

const char *slot_state_text(uint8_t state); /* "pending", "delivered", "deferred", "failed" */
