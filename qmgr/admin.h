/* What `postrider queue` asks of qmgr (public/queue, ipc/talk/admin.h). IDS: up to ADMIN_IDS_MAX ids with blanks between.
 *   list              rows of lines "ID place next_try_s arrived_s tries", in any order; in parts
 *   files IDS         a row "ID place next_try_s" with the file, read-only, for each that is there
 *   hold, release, delete, flush, quarantine IDS    a row "ID why not" for each that could not be
 *   flush ALL, flush SITE name                      in parts; a site is a recipient's domain or a next hop
 *   lend IDS          rows as of `files`, with the file and an empty one to take its place; the message rests until
 *   keep IDS, back IDS                  the new file takes its place, or nothing has been; so does the end of the connection
 *   bring ID place    a row "ID" with an empty file: for a message from elsewhere, under that id if it is free; then `keep`
 * Root and our own uid may ask for all of it; others for list, files, delete and flush, and for them there is only what they
 * submitted themselves here. Runs in: qmgr. */
#pragma once
#include "qmgr/qmgr.h"
#include "qmgr/touched.h"

enum { ADMIN_IDS_MAX = 1000, ADMIN_FILES_MAX = 100 };

/* A message that a client rewrites, or brings. */
typedef struct loan {
    uint64_t id;
    queue_place place; /* where the new file goes */
    bool is_new;
} loan;

typedef struct desk_work desk_work;
typedef bool desk_step(admin_client *c, desk_work *w, message *m); /* true: it counts */

/* What a client is in the middle of. */
struct desk_work {
    VEC(uint64_t) ids;
    size_t at; /* what a question still has to look at */
    desk_step *step;
    buf rows;       /* lines of the part that is made */
    unsigned reads; /* of queue files, in this part */
    buf site;
    VEC(loan) loans;
    touched touched; /* folders that are to be made durable before the answer */
};

/* admin.c */
desk_work *desk_work_of(admin_client *c);
message *desk_find(admin_client *c, uint64_t id);  /* NULL: there is none, or it is not the client's to see */
void desk_begin(admin_client *c, desk_step *step); /* looks at all messages, in parts */
void desk_row_put(admin_client *c, uint64_t id, const char *why);

/* Calls `each` for the ids of the argument and ends the answer with how many times it said true. */
typedef bool desk_each(admin_client *c, uint64_t id);
void desk_ids(admin_client *c, str argument, size_t most, desk_each *each);

/* admin_change.c */
void desk_hold(admin_client *c, str argument);
void desk_release(admin_client *c, str argument);
void desk_delete(admin_client *c, str argument);
void desk_flush(admin_client *c, str argument);
void desk_quarantine(admin_client *c, str argument);

/* admin_lend.c */
bool desk_is_lent(const admin_desk *d, uint64_t id);
void desk_lend(admin_client *c, str argument);
void desk_keep(admin_client *c, str argument);
void desk_back(admin_client *c, str argument);
void desk_bring(admin_client *c, str argument);
void desk_loans_end(admin_client *c);
