/* ":include:/file": who gets a copy. Read as the user; lists may name lists, each of which is read once. A copy goes the way of what
 * users forward (ipc/talk/deliver.h: WANT to COPIED). Runs in: pipe-worker. */
#include "base/checksum.h"
#include "base/log.h"
#include "base/map.h"
#include "mail/alias_list.h"
#include "os/file.h"
#include "pipe/worker/actor.h"
#include "worker/content.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LIST_BYTES_MAX = 4 * 1024 * 1024, LISTS_MAX = 100, MEMBERS_MAX = 10000 };

typedef struct reading {
    const actor *actor;
    letter_job *job;
    VEC(str) lists; /* read, and still to be read */
    map seen;
    fault fault;
} reading;

/* Whoever may write to it names who gets the mail. */
static const char *unfit(int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return strerror(errno);
    if (!S_ISREG(st.st_mode))
        return "it is no plain file";
    if (st.st_mode & S_IWOTH)
        return "everybody may write to it";
    return st.st_size > LIST_BYTES_MAX ? "it is too large" : NULL;
}

static fault file_take(const char *path, buf *text)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return fault_errno("the list %s cannot be read", path);
    const char *why = unfit(fd);
    fault f = why ? fault_make(FAULT_TRY_LATER, "3.5", "the list %s is not used: %s", path, why) : file_read_fd(fd, text);
    close(fd);
    return f;
}

static bool is_new(reading *r, str text)
{
    return map_put(&r->seen, text, r) == NULL;
}

static void list_add(reading *r, str path)
{
    if (!is_new(r, arena_printf(&r->job->arena, ":%.*s", STR_ARG(path))))
        return;
    if (r->lists.n >= LISTS_MAX)
        r->fault = fault_make(FAULT_TRY_LATER, "4.6", "more than %d lists name each other", LISTS_MAX);
    else
        *vec_add(&r->lists) = path;
}

static void member_add(reading *r, str text, bool is_final)
{
    if (!is_new(r, is_final ? STR("\\") : text))
        return;
    if (r->job->members.n >= MEMBERS_MAX)
        r->fault = fault_make(FAULT_TRY_LATER, "4.6", "the list names more than %d recipients", MEMBERS_MAX);
    else
        *vec_add(&r->job->members) = (deliver_member){ .member = text, .is_final = is_final };
}

static bool is_allowed(const reading *r, alias_kind kind)
{
    unsigned flags = r->actor->rules.flags;
    return kind == MEMBER_ADDRESS || kind == MEMBER_FINAL || (kind == MEMBER_COMMAND && (flags & PROGRAM_LISTS_COMMANDS)) ||
           (kind == MEMBER_FILE && (flags & PROGRAM_LISTS_FILES));
}

/* \name of the user himself is his mailbox; of somebody else it is an address. */
static void member_take(reading *r, const alias_member *m)
{
    str user = r->actor->worker->user;
    if (m->kind == MEMBER_INCLUDE) {
        list_add(r, str_from(m->text, sizeof ":include:" - 1));
    } else if (!is_allowed(r, m->kind)) {
        log_event(LOG_WARNING, "list-member", LOG_STR("user", user), LOG_STR("list", str_upto(r->job->request.member, 200)),
                  LOG_STR("member", str_upto(m->text, 100)),
                  LOG_C("reason", m->kind == MEMBER_BAD ? "it is no address"
                                                        : "it may not stand in a list (allow_mail_to_commands, allow_mail_to_files)"));
    } else {
        member_add(r, m->text, m->kind == MEMBER_FINAL && str_equal_nocase(m->text, user));
    }
}

static void list_take(reading *r, str path)
{
    arena *a = &r->job->arena;
    buf text = buf_new(LIST_BYTES_MAX + 1);
    alias_member m;
    r->fault = file_take(arena_c(a, path), &text);
    str rest = is_fault(r->fault) ? STR_NONE : alias_list_open(buf_str(&text), a);
    while (!is_fault(r->fault) && alias_list_next(&rest, a, &m))
        member_take(r, &m);
    buf_free(&text);
}

static fault members_read(const actor *a, letter_job *j)
{
    reading r = { .actor = a, .job = j, .fault = NO_FAULT };
    list_add(&r, str_trim(str_from(j->request.member, sizeof ":include:" - 1)));
    for (size_t i = 0; i < r.lists.n && !is_fault(r.fault); i++)
        list_take(&r, r.lists.p[i]);
    vec_free(&r.lists);
    map_free(&r.seen);
    if (!is_fault(r.fault) && j->members.n == 0)
        return fault_make(FAULT_TRY_LATER, "3.5", "the list names nobody");
    return r.fault;
}

void list_read(actor *a, uint32_t ref, const deliver_request *m, int fd)
{
    letter_job *j = letter_job_new(ref, m, fd);
    deliver_result want = { .queue_id = m->queue_id };
    fault f = letter_check(&j->request, fd);
    if (!is_fault(f))
        f = members_read(a, j);
    if (is_fault(f)) {
        letter_job_end(a, j, f, "");
        return;
    }
    j->next = a->copies;
    a->copies = j;
    channel_put(&a->worker->pool, DELIVER_WANT, ref, deliver_result, &want);
}

static letter_job *copy_take(actor *a, uint32_t ref)
{
    for (letter_job **at = &a->copies; *at; at = &(*at)->next) {
        letter_job *j = *at;
        if (j->ref != ref)
            continue;
        *at = j->next;
        return j;
    }
    return NULL;
}

typedef struct paper {
    int fd;
    uint64_t bytes;
    uint32_t sum;
} paper;

static fault paper_write(void *context, str bytes)
{
    paper *p = context;
    if (!file_write_all(p->fd, bytes))
        return fault_errno("write the copy");
    p->sum = checksum(p->sum, bytes);
    p->bytes += bytes.n;
    return NO_FAULT;
}

/* pipe says the result, when the copy is durable. */
static void copied_put(actor *a, letter_job *j, const paper *p)
{
    channel *c = &a->worker->pool;
    for (size_t i = 0; i < j->members.n; i++)
        channel_put(c, DELIVER_MEMBER, j->ref, deliver_member, &j->members.p[i]);
    deliver_copied m = { .content_bytes = p->bytes, .content_checksum = p->sum, .member_count = (uint32_t)j->members.n };
    channel_put(c, DELIVER_COPIED, j->ref, deliver_copied, &m);
    worker_end(a->worker);
    letter_job_free(j);
}

bool list_on_paper(void *context, channel *ch, received *r)
{
    worker *w = context;
    actor *a = w->state;
    deliver_result m;
    (void)ch;
    if (deliver_result_decode(r->bytes, &m) != PARSE_DONE || m.outcome > FAULT_BUG || (m.outcome == FAULT_NONE) != (r->fd_count == 1))
        return false;
    letter_job *j = copy_take(a, r->ref);
    if (j == NULL)
        return false;
    paper p = { .fd = r->fd_count ? r->fds[0] : -1 };
    content_sink to = { paper_write, &p };
    fault f = m.outcome == FAULT_NONE ? front_write(&j->request, to, false)
                                      : fault_make((fault_kind)m.outcome, "3.0", "%.*s", STR_ARG(m.reason));
    if (!is_fault(f))
        f = content_write(&j->request, j->fd, to);
    if (is_fault(f))
        letter_job_end(a, j, f, "");
    else
        copied_put(a, j, &p);
    return true;
}
