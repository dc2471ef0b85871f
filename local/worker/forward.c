/* .forward: where a user wants his mail, and the copy that goes there. Read as the user, beneath his home (of a virtual user: beneath
 * his mail folder). A file that somebody else could have written is not heeded. Runs in: local-worker. */
#include "base/checksum.h"
#include "base/log.h"
#include "base/map.h"
#include "local/worker/worker.h"
#include "os/file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 64 * 1024, MEMBERS_MAX = 1000, NAME_BYTES = 300 };

static bool is_others(const struct stat *st)
{
    return (st->st_uid != 0 && st->st_uid != geteuid()) || (st->st_mode & (S_IWGRP | S_IWOTH));
}

static const char *unsafe(int folder, int fd)
{
    struct stat home, st;
    if (fstat(folder, &home) != 0 || fstat(fd, &st) != 0)
        return strerror(errno);
    if (!S_ISREG(st.st_mode))
        return "it is not a plain file";
    if (is_others(&st))
        return "it is not the user's own, or others may write to it";
    if (is_others(&home))
        return "the home folder is not the user's own, or others may write to it";
    return st.st_size > FILE_BYTES_MAX ? "it is too large" : NULL;
}

static void not_heeded(const local_worker *l, const char *name, const char *why)
{
    log_event(LOG_WARNING, "forward-not-heeded", LOG_STR("user", l->worker->user), LOG_C("file", name),
              LOG_C("reason", why));
}

/* True: it is there, and safe; or *f says that this cannot be told now. */
static bool file_take(const local_worker *l, const char *name, buf *text, fault *f)
{
    int folder = l->worker->home_fd >= 0 ? l->worker->home_fd : l->worker->mail_fd;
    int fd = file_open_beneath(folder, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == EIO))
        *f = fault_errno("open %s", name);
    else if (fd < 0 && errno != ENOENT && errno != ENAMETOOLONG)
        not_heeded(l, name, strerror(errno));
    if (fd < 0)
        return is_fault(*f);
    const char *why = unsafe(folder, fd);
    if (why)
        not_heeded(l, name, why);
    else
        *f = file_read_fd(fd, text);
    close(fd);
    return why == NULL;
}

/* .forward+ext, then .forward; the extension in lower case. */
static bool any_take(const local_worker *l, const deliver_request *m, buf *text, fault *f)
{
    char name[NAME_BYTES];
    str ext = m->extension;
    if (l->worker->home_fd < 0 && l->worker->mail_fd < 0)
        return false;
    if (ext.n > 1 && ext.n < 200 && !str_has(ext, '/') && !str_has(ext, '\0')) {
        size_t n = sizeof ".forward" - 1;
        memcpy(name, ".forward", n);
        for (size_t i = 0; i < ext.n; i++)
            name[n++] = (char)(ext.p[i] >= 'A' && ext.p[i] <= 'Z' ? ext.p[i] - 'A' + 'a' : ext.p[i]);
        name[n] = '\0';
        if (file_take(l, name, text, f))
            return true;
    }
    return file_take(l, ".forward", text, f);
}

static str local_part(str address)
{
    return str_upto(address, str_find_last(address, '@'));
}

/* \name of the user himself: his mailbox. */
static bool is_own(const local_worker *l, const letter *k, str name)
{
    str domain = str_from(name, str_find_last(name, '@'));
    str own = str_from(k->request.recipient, str_find_last(k->request.recipient, '@'));
    return str_equal_nocase(local_part(name), local_part(l->worker->user)) &&
           (domain.n == 0 || str_equal_nocase(domain, own));
}

static void member_add(letter *k, map *seen, str text, bool is_final)
{
    str key = is_final ? STR("\\") : text;
    if (map_put(seen, key, k) == NULL)
        *vec_add(&k->members) = (deliver_member){ .member = text, .is_final = is_final };
}

/* What cannot or may not be done goes to the mailbox instead: nothing is lost by a mistake in the file. */
static void member_take(local_worker *l, letter *k, map *seen, const alias_member *m)
{
    unsigned flags = l->rules.flags;
    bool is_system = l->worker->home_fd >= 0;
    bool may = m->kind == MEMBER_ADDRESS || m->kind == MEMBER_FINAL ||
               (m->kind == MEMBER_COMMAND && (flags & DELIVER_MAY_COMMAND)) ||
               (m->kind == MEMBER_FILE && (flags & DELIVER_MAY_FILE)) || (m->kind == MEMBER_INCLUDE && is_system);
    if (!may)
        log_event(
            LOG_WARNING, "forward-member", LOG_STR("user", l->worker->user), LOG_STR("member", str_upto(m->text, 100)),
            LOG_C("reason", m->kind == MEMBER_BAD ? "it is no address"
                                                  : "it is not allowed (allow_mail_to_commands, allow_mail_to_files)"));
    bool is_final = !may || (m->kind == MEMBER_FINAL && is_own(l, k, m->text));
    member_add(k, seen, is_final ? l->worker->user : m->text, is_final);
}

static fault members_read(local_worker *l, letter *k, str text)
{
    map seen = { 0 };
    alias_member m;
    str rest = alias_list_open(text, &k->arena);
    while (k->members.n <= MEMBERS_MAX && alias_list_next(&rest, &k->arena, &m))
        member_take(l, k, &seen, &m);
    map_free(&seen);
    return k->members.n <= MEMBERS_MAX ? NO_FAULT
                                       : fault_make(FAULT_TRY_LATER, "4.6", "the .forward names too many recipients");
}

/* Everything is in the mailbox anyway: no copy is needed. */
static bool is_own_only(const letter *k)
{
    return k->members.n == 1 && k->members.p[0].is_final;
}

bool forward_find(local_worker *l, letter *k, fault *out)
{
    buf text = buf_new(FILE_BYTES_MAX + 1);
    const deliver_request *m = &k->request;
    *out = NO_FAULT;
    bool looks = !m->is_final && !envelope_has_forwarder(m->forwarders, m->user);
    if (looks && any_take(l, m, &text, out) && !is_fault(*out))
        *out = members_read(l, k, buf_str(&text));
    buf_free(&text);
    if (is_fault(*out))
        return false;
    if (is_own_only(k))
        k->members.n = 0;
    if (k->members.n == 0 && (l->rules.flags & DELIVER_HAS_COMMAND))
        *vec_add(&k->members) = (deliver_member){ .member = STR("|") };
    return k->members.n > 0;
}

void forward_start(local_worker *l, letter *k)
{
    deliver_result m = { .queue_id = k->request.queue_id };
    k->next = l->copies;
    l->copies = k;
    channel_put(&l->worker->pool, DELIVER_WANT, k->ref, deliver_result, &m);
}

static letter *copy_take(local_worker *l, uint32_t ref)
{
    for (letter **at = &l->copies; *at; at = &(*at)->next) {
        letter *k = *at;
        if (k->ref != ref)
            continue;
        *at = k->next;
        return k;
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

static fault copy_write(const letter *k, paper *p)
{
    content_sink to = { paper_write, p };
    fault f = front_write(&k->request, to, false);
    return is_fault(f) ? f : content_write(&k->request, k->fd, to);
}

/* The process says the result, when the copy is durable. */
static void copied_put(local_worker *l, const letter *k, const paper *p)
{
    channel *c = &l->worker->pool;
    for (size_t i = 0; i < k->members.n; i++)
        channel_put(c, DELIVER_MEMBER, k->ref, deliver_member, &k->members.p[i]);
    deliver_copied m = { .content_bytes = p->bytes,
                         .content_checksum = p->sum,
                         .member_count = (uint32_t)k->members.n };
    channel_put(c, DELIVER_COPIED, k->ref, deliver_copied, &m);
    worker_end(l->worker);
}

bool forward_on_paper(void *context, channel *ch, received *r)
{
    worker *w = context;
    local_worker *l = w->state;
    deliver_result m;
    (void)ch;
    if (deliver_result_decode(r->bytes, &m) != PARSE_DONE || m.outcome > FAULT_BUG ||
        (m.outcome == FAULT_NONE) != (r->fd_count == 1))
        return false;
    letter *k = copy_take(l, r->ref);
    if (k == NULL)
        return false;
    paper p = { .fd = r->fd_count ? r->fds[0] : -1 };
    fault f = m.outcome == FAULT_NONE ? copy_write(k, &p)
                                      : fault_make((fault_kind)m.outcome, "3.0", "%.*s", STR_ARG(m.reason));
    if (is_fault(f))
        answer(l, k->ref, k->request.queue_id, f, NULL);
    else
        copied_put(l, k, &p);
    letter_free(k);
    return true;
}
