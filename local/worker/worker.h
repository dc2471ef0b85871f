/* local-worker's state: deliveries to one user's mail, as that user. What cannot be answered at once is a letter: it waits for the
 * locks of the mailbox, or for the file into which a copy for those to whom the user forwards is written. Runs in: local-worker. */
#pragma once
#include "base/refs.h"
#include "base/vec.h"
#include "ipc/talk/deliver.h"
#include "worker/content.h"
#include "mail/alias_list.h"
#include "store/mbox.h"
#include "store/store.h"
#include "worker/worker.h"

typedef struct letter {
    uint32_t ref;
    int fd;
    arena arena;
    deliver_request request;
    VEC(deliver_member) members; /* of its copy */
    fault result;
    struct letter *next;
} letter;

typedef struct maildir_item {
    uint32_t ref;
    uint64_t queue_id;
} maildir_item;

typedef enum spool_state { SPOOL_AT_REST, SPOOL_WAITING, SPOOL_ASKED } spool_state;

typedef struct local_worker {
    worker *worker;
    deliver_rules rules; /* its text is not kept */
    /* maildir.c */
    store *store;
    delivery *delivery;
    VEC(maildir_item) batch;
    task commit;
    /* spool.c: a mailbox that is one file */
    mbox *mbox;
    fault mbox_fault; /* why it is not open */
    spool_state state;
    letter *first, **last;
    uint32_t attempts;
    timer again;
    task serve;
    /* forward.c */
    letter *copies; /* that wait for a PAPER */
} local_worker;

/* letters.c */
extern const talk_row letter_rows[];
extern const size_t letter_row_count;
void answer(local_worker *l, uint32_t ref, uint64_t queue_id, fault f, const char *what);
void answer_of_mailbox(local_worker *l, uint32_t ref, uint64_t queue_id, fault f); /* any other letter would meet it now */
void letter_free(letter *k);

/* maildir.c */
bool maildir_start(local_worker *l);
fault maildir_take(local_worker *l, const deliver_request *m, uint32_t ref, int fd);
void maildir_commit(local_worker *l);

/* spool.c */
void spool_open(local_worker *l); /* before confinement */
void spool_put(local_worker *l, letter *k);
bool spool_on_locked(void *context, channel *ch, received *r);
void spool_leave(local_worker *l); /* what waits for a lock is tried later */

/* forward.c */
/* Where the user's .forward sends a message. False: it is for the mailbox. A fault: it cannot be told now. */
bool forward_find(local_worker *l, letter *k, fault *out);
void forward_start(local_worker *l, letter *k);
bool forward_on_paper(void *context, channel *ch, received *r);
