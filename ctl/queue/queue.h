/* The verbs of `postrider queue`, and what they share. Each runs whether the suite does or not. Runs in: postrider. */
#pragma once
#include "ctl/queue/progress.h"
#include "ctl/queue/select.h"

int queue_list(invocation *in); /* list.c */
int queue_show(invocation *in); /* look.c */
int queue_cat(invocation *in);
int queue_shape(invocation *in);       /* shape.c */
int queue_change_verb(invocation *in); /* change.c: hold, release, delete, flush: the last word of the command's name */
int queue_requeue(invocation *in);     /* requeue.c */
int queue_reroute(invocation *in);     /* reroute.c */
int queue_check(invocation *in);       /* check.c */
int queue_export(invocation *in);      /* export.c */
int queue_import(invocation *in);      /* import.c */

/* verbs.c: opens the queue; false: *out_status is the exit status, and it was said why. The configuration is in v->config. */
bool queue_begin(invocation *in, queue_filter *f, bool with_damaged, view_use use, queue_view *v, int *out_status);

/* Says a fault and returns its exit status as sysexits.h has them. */
int queue_fault(const invocation *in, fault f);

/* print.c: for a person */
void queue_line_print(const queue_entry *e, uint64_t now_s);
void queue_entry_print(const queue_entry *e, uint64_t now_s); /* all that is known of it */
uint64_t queue_age_s(const queue_entry *e, uint64_t now_s);

/* json.c: an object on one line */
typedef struct json_t json_t;
void queue_json_print(const queue_entry *e);
json_t *queue_json_text(str s);      /* octets that are no UTF-8 become '?' */
void queue_json_line(json_t *takes); /* takes it */

/* What became of many messages. */
typedef struct tally {
    const invocation *in;
    size_t changed, not_changed;
    int status; /* EXIT_DONE, or why the worst one was not changed */
} tally;
void tally_refused(tally *t, uint64_t id, str why); /* says it */
void tally_print(const tally *t, const char *verb, bool is_json);

/* change.c: what was moved or removed is durable; of an ordinary user's, qmgr has synced the folders. */
fault queue_sync(const config *c);

/* change_stopped.c: "hold", "release", "delete", "flush", "quarantine". *out_why: why not; "" when there was nothing to change. */
bool stopped_change(int queue_fd, str verb, uint64_t id, const char **out_why);
bool stopped_own(int queue_fd, int fd); /* gives a file the owner of the queue; true when it has it */
