#include "qmgr/admin.h"
#include "base/memory.h"
#include "base/num.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    PART_MESSAGES = 400, /* looked at before others have their turn; their lines fit a frame */
    PART_READS = 200,    /* of queue files */
    ROWS_MAX = 40 * 1024,
    OPEN_LISTS_MAX = 16, /* of those who are not root, all together: each holds the ids of all messages */
};

/* owner of a message: 0: not known yet */
enum { OWNER_NOBODY = UINT32_MAX };

desk_work *desk_work_of(admin_client *c)
{
    if (c->context == NULL) {
        desk_work *w = c->context = memory_get(sizeof *w);
        w->rows = buf_new(ROWS_MAX);
        w->site = buf_new(1024);
    }
    return c->context;
}

static void on_gone(admin_client *c)
{
    desk_work *w = c->context;
    if (w == NULL)
        return;
    desk_loans_end(c);
    vec_free(&w->loans);
    vec_free(&w->ids);
    buf_free(&w->rows);
    buf_free(&w->site);
    free(w);
}

/* Only cleanup and pickup write a login of this form, from the uid of the other end's socket or the file's owner: names that
 * authenticate have no colon. */
static uint32_t owner_by_login(str login)
{
    uint64_t uid;
    bool is_local = str_starts(login, STR("uid:")) && num_parse(str_from(login, 4), 1, UINT32_MAX - 1, &uid);
    return is_local ? (uint32_t)uid : (uint32_t)OWNER_NOBODY;
}

static uint32_t owner_read(qmgr *q, const message *m)
{
    if (m->loaded)
        return owner_by_login(m->loaded->file.envelope.login);
    int fd = queue_tree_open(q->root_fd, m->place, m->id, O_RDONLY);
    if (fd < 0)
        return 0;
    arena a = arena_new(0);
    queue_message file;
    fault f = queue_read(fd, &a, &file);
    uint32_t owner = is_fault(f) ? (uint32_t)OWNER_NOBODY : owner_by_login(file.envelope.login);
    arena_free(&a);
    close(fd);
    return owner;
}

static bool may_see(admin_client *c, message *m)
{
    if (admin_is_root(c))
        return true;
    if (m->owner == 0) {
        desk_work_of(c)->reads++;
        m->owner = owner_read(c->desk->owner, m);
    }
    return m->owner == c->uid;
}

message *desk_find(admin_client *c, uint64_t id)
{
    message *m = message_find(c->desk->owner, id);
    return m && may_see(c, m) ? m : NULL;
}

void desk_row_put(admin_client *c, uint64_t id, const char *why)
{
    char row[300];
    int n = snprintf(row, sizeof row, "%s %s", queue_id_text(id).text, why);
    admin_row_put(c, (str){ row, (size_t)n < sizeof row ? (size_t)n : sizeof row - 1 });
}

static void ids_end(admin_client *c, fault f, uint32_t done)
{
    desk_work *w = desk_work_of(c);
    const qmgr *q = c->desk->owner;
    if (!is_fault(f))
        f = touched_sync(&w->touched, q->root_fd, q->mixes_names);
    w->touched = (touched){ 0 };
    admin_end_put(c, f, done);
}

void desk_ids(admin_client *c, str argument, size_t most, desk_each *each)
{
    uint32_t done = 0;
    str word;
    uint64_t id;
    for (size_t n = 0; str_word(&argument, " ", &word); n++) {
        if (n == most || !queue_id_read(word, &id)) {
            ids_end(c, fault_make(FAULT_REFUSED, "5.1", "no such message: %.*s", STR_ARG(str_upto(word, 80))), done);
            return;
        }
        done += each(c, id);
    }
    ids_end(c, NO_FAULT, done);
}

/* What goes on later is said with END and "more": the client's next question gives the others a turn. */
static void on_more(admin_client *c, str argument)
{
    desk_work *w = desk_work_of(c);
    uint32_t n = 0;
    (void)argument;
    w->reads = 0;
    for (unsigned i = 0; i < PART_MESSAGES && w->reads < PART_READS && w->at < w->ids.n; i++) {
        message *m = message_find(c->desk->owner, w->ids.p[w->at++]);
        n += m && w->step(c, w, m);
    }
    if (w->rows.n)
        admin_row_put(c, buf_str(&w->rows));
    buf_clear(&w->rows);
    if (w->at < w->ids.n) {
        admin_more_put(c, n);
        return;
    }
    vec_free(&w->ids);
    admin_end_put(c, NO_FAULT, n);
}

static size_t lists_of_others(const admin_desk *d)
{
    size_t n = 0;
    for (const admin_client *c = d->clients; c; c = c->next)
        n += !admin_is_root(c) && c->context && ((const desk_work *)c->context)->ids.n > 0;
    return n;
}

void desk_begin(admin_client *c, desk_step *step)
{
    const qmgr *q = c->desk->owner;
    desk_work *w = desk_work_of(c);
    map_entry e;
    size_t cursor = 0;
    vec_free(&w->ids);
    w->at = 0;
    w->step = step;
    if (!admin_is_root(c) && lists_of_others(c->desk) >= OPEN_LISTS_MAX) {
        admin_end_put(c, fault_make(FAULT_TRY_LATER, "3.2", "too many look at the queue now; try again"), 0);
        return;
    }
    while (map_next(&q->messages, &cursor, &e))
        *vec_add(&w->ids) = ((const message *)e.value)->id;
    on_more(c, STR_NONE);
}

static bool line_add(buf *rows, uint64_t id, queue_place place, const message *m)
{
    return buf_printf(rows, "%s %s %llu %llu %u\n", queue_id_text(id).text, queue_place_name(place),
                      m ? (unsigned long long)m->next_try_s : 0, m ? (unsigned long long)m->arrived_s : 0,
                      m ? m->tries : 0);
}

/* One that a start found, and nobody has looked at since: its times are in its file. */
static void times_learn(admin_client *c, message *m)
{
    const qmgr *q = c->desk->owner;
    queue_schedule when = { 0 };
    int fd = queue_tree_open(q->root_fd, m->place, m->id, O_RDONLY);
    if (fd < 0)
        return;
    desk_work_of(c)->reads++;
    if (!is_fault(queue_times_read(fd, &m->arrived_s, &when)) && m->state == MESSAGE_AT_REST)
        m->tries = when.tries;
    close(fd);
}

static bool list_step(admin_client *c, desk_work *w, message *m)
{
    if (!may_see(c, m))
        return false;
    if (m->arrived_s == 0)
        times_learn(c, m);
    return line_add(&w->rows, m->id, m->place, m);
}

/* Damaged files are not in memory; there are few. */
static bool corrupt_add(void *context, queue_place p, uint64_t id, const char *name)
{
    admin_client *c = context;
    buf *rows = &desk_work_of(c)->rows;
    (void)name;
    if (id == 0)
        return true;
    line_add(rows, id, p, NULL);
    if (rows->n > ROWS_MAX - 200) {
        admin_row_put(c, buf_str(rows));
        buf_clear(rows);
    }
    return true;
}

static void on_list(admin_client *c, str argument)
{
    const qmgr *q = c->desk->owner;
    (void)argument;
    if (admin_is_root(c))
        (void)queue_tree_scan(q->root_fd, QUEUE_CORRUPT, corrupt_add, c);
    desk_begin(c, list_step);
}

/* The row of a message is its file: the asker reads it with the same code as on a stopped suite. */
static bool file_put(admin_client *c, int fd, uint64_t id, queue_place place, uint64_t next_try_s)
{
    if (fd < 0)
        return false;
    char row[64];
    int n = snprintf(row, sizeof row, "%s %s %llu", queue_id_text(id).text, queue_place_name(place),
                     (unsigned long long)next_try_s);
    return admin_row_put_fds(c, (str){ row, (size_t)n }, &fd, 1);
}

static bool file_give(admin_client *c, uint64_t id)
{
    qmgr *q = c->desk->owner;
    message *m = desk_find(c, id);
    queue_place place = m ? (queue_place)m->place : QUEUE_CORRUPT;
    if (m == NULL && !admin_is_root(c))
        return false;
    bool is_in_memory = m && m->is_in_memory;
    int fd = is_in_memory ? message_fd_give(q, m) : queue_tree_open(q->root_fd, place, id, O_RDONLY);
    return file_put(c, fd, id, place, m ? m->next_try_s : 0);
}

static void on_files(admin_client *c, str argument)
{
    desk_ids(c, argument, ADMIN_FILES_MAX, file_give);
}

static const admin_verb verbs[] = {
    { "list", true, on_list },          { "more", true, on_more },
    { "files", true, on_files },        { "delete", true, desk_delete },
    { "flush", true, desk_flush },      { "hold", false, desk_hold },
    { "release", false, desk_release }, { "quarantine", false, desk_quarantine },
    { "lend", false, desk_lend },       { "keep", false, desk_keep },
    { "back", false, desk_back },       { "bring", false, desk_bring },
};

void admin_start(qmgr *q)
{
    q->desk = (admin_desk){ .loop = q->process->loop,
                            .owner = q,
                            .name = "queue",
                            .verbs = verbs,
                            .verb_count = COUNT_OF(verbs),
                            .on_gone = on_gone };
    admin_open(&q->desk);
}

void admin_connection(listener *l, const accepted *a)
{
    qmgr *q = l->daemon->state;
    admin_admit(&q->desk, a->fd, a->uid);
}
