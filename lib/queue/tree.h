/* The folders of the queue and the names in them. Runs in: qmgr alone (postrider on a stopped suite). All names are relative to
 * the queue's folder; files move between folders by rename. */
#pragma once
#include "base/fault.h"
#include "queue/id.h"

/* incoming: made anew by an admin's command and not in its place yet; goes at a start. active: being received (no end mark yet), or
 * accepted and being delivered. deferred: waits for its next try. hold: waits for an admin. corrupt: damaged, kept for a look. */
typedef enum queue_place { QUEUE_INCOMING, QUEUE_ACTIVE, QUEUE_DEFERRED, QUEUE_HOLD, QUEUE_CORRUPT } queue_place;
enum {
    QUEUE_PLACES = QUEUE_CORRUPT + 1,
    QUEUE_BRANCHES = 31 /* of deferred: the id modulo this, its last character */
};

const char *queue_place_name(queue_place p);

fault queue_tree_make(int queue_fd); /* creates what is missing, mode 0700 */

int queue_tree_create(int queue_fd, queue_place p, uint64_t id);          /* read-write; -1: errno */
int queue_tree_open(int queue_fd, queue_place p, uint64_t id, int flags); /* O_RDONLY, O_RDWR, O_WRONLY; -1: errno */
bool queue_tree_move(int queue_fd, queue_place from, queue_place to, uint64_t id); /* false: errno */
bool queue_tree_rename(int queue_fd, queue_place p, uint64_t from, uint64_t to);   /* to an id that is not used; false: errno */
bool queue_tree_remove(int queue_fd, queue_place p, uint64_t id);                  /* false: errno */

/* Makes durable that id came to the folder, or left it; may wait for the disk. False: errno. */
bool queue_tree_sync(int queue_fd, queue_place p, uint64_t id);

/* Makes durable what was moved and removed, in all folders. */
fault queue_tree_sync_all(int queue_fd);

/* Calls `each` for every queue file; names that are none are given with id 0. Stops when it returns false. */
typedef bool queue_tree_fn(void *context, queue_place p, uint64_t id, const char *name);
fault queue_tree_scan(int queue_fd, queue_place p, queue_tree_fn *each, void *context);
