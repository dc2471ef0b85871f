/* The queue, whether the suite runs or not: asked of qmgr (qmgr/admin.h), else read from its folders. Runs in: postrider queue,
 * mailq. First come rows, small, of all messages; then the files of those that are wanted. The holder closes it. */
#pragma once
#include "base/vec.h"
#include "ctl/common/ask.h"
#include "ctl/common/queue_entry.h"

enum { VIEW_FILES = 100, VIEW_CHANGES = 500 }; /* asked for at a time */

typedef struct queue_row {
    uint64_t id, next_try_s, arrived_s;
    uint32_t tries;
    uint8_t place;
} queue_row;

typedef VEC(queue_row) queue_rows;
typedef VEC(uint64_t) queue_ids;

typedef struct queue_view {
    const config *config;
    ask_line *line; /* NULL: the suite does not run */
    int queue_fd;   /* of a stopped suite; -1: it never ran, so its queue is empty */
    int lock_fd;    /* keeps a stopped suite from starting while its queue is changed; -1 */
} queue_view;

typedef enum view_use { VIEW_LOOK, VIEW_CHANGE } view_use;

/* FAULT_REFUSED with status 7.1: not permitted. FAULT_TRY_LATER: the suite is just starting, or does not answer. */
fault queue_view_open(queue_view *v, const config *c, view_use use);
void queue_view_close(queue_view *v);
bool queue_view_is_running(const queue_view *v);

/* All messages, the oldest first; damaged ones last. What was never acknowledged is not shown. */
fault queue_view_rows(queue_view *v, queue_rows *out);

/* The messages of these ids, in this order; *out_count (may be NULL) says how many there were. */
fault queue_view_files(queue_view *v, const uint64_t *ids, size_t count, queue_entry_fn *each, void *context,
                       size_t *out_count);

/* Asks for `verb` of these ids, VIEW_CHANGES at most. */
ask_answer queue_view_ask(queue_view *v, const char *verb, const uint64_t *ids, size_t count, ask_row *each,
                          void *context);

/* Where the message is in a stopped suite's queue. QUEUE_INCOMING: a file of that id was never acknowledged, so it is none. */
bool queue_find(int queue_fd, uint64_t id, queue_place *out);

bool queue_place_read(str name, queue_place *out);
