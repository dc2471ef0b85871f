/* Copies of a message for those to whom a worker forwards it (ipc/talk/deliver.h: WANT to COPIED), brought to cleanup as messages of
 * their own, with the sender and the DSN wishes of the delivery that they come from (RFC 3461 5.2.7). Runs in: local, pipe; neither
 * sees content. A copy belongs to the job that wants it, which frees it in any case.
 * Who acts is never the worker's word: members that are no addresses are routed to the user of the request. */
#pragma once
#include "base/refs.h"
#include "daemon/daemon.h"
#include "ipc/talk/deliver.h"

enum { FORWARD_MEMBERS_MAX = 10000 };

typedef struct forwarding forwarding; /* one copy */

/* What has become of a copy, once. FAULT_NONE: it is durable in the queue, `reason` is "forwarded as ID", and `action` is for the
 * result: DELIVER_PASSED_ON to one recipient, REPORT_EXPANDED to several. The job may be freed, and the copy with it. */
typedef void forward_ended(void *job, fault outcome, uint32_t action, str reason);

typedef struct forward_desk { /* one in a process; zeroed but for on_end */
    refs copies;
    forward_ended *on_end;
} forward_desk;

typedef struct forward_order {
    const deliver_request *request; /* its texts live as long as the copy */
    channel *worker;                /* who gets the PAPER */
    uint32_t ref;                   /* of the worker's request */
    bool may_command, may_file, may_include; /* which members besides addresses it may name */
    void *job;                      /* for on_end */
} forward_order;

/* At WANT. The worker is sent a PAPER when cleanup has given one, or could not; after the latter it answers with a RESULT. */
forwarding *forward_begin(forward_desk *d, const process *p, const forward_order *o);

/* At MEMBER and COPIED. False: the worker broke the rules; drop it. COPIED ends in on_end, maybe at once. */
bool forward_member(forwarding *f, const deliver_member *m);
bool forward_copied(forwarding *f, const deliver_copied *m);

/* Whether it is in cleanup's hands: it ends without the worker then. */
bool forward_is_committing(const forwarding *f);

void forward_free(forwarding *f); /* NULL is fine; what is not committed is given up */

/* For the row of peers "cleanup": { "cleanup", forward_talk, OPENED, forward_cleanup_lost }, where OPENED is the program's and sets
 * p->context to its desk. */
extern const talk forward_talk;
void forward_cleanup_lost(peer *p);
