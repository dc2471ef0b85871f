#include "ctl/queue/check_file.h"
#include "base/checksum.h"
#include "os/fd.h"
#include "os/file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

const char *flaw_name(flaw f)
{
    static const char *const names[] = { [FLAW_NONE] = "none",           [FLAW_STRANGE] = "strange",
                                         [FLAW_DAMAGED] = "damaged",     [FLAW_UNFINISHED] = "unfinished",
                                         [FLAW_MISPLACED] = "misplaced", [FLAW_TWICE] = "twice",
                                         [FLAW_MODE] = "mode",           [FLAW_TORN] = "torn" };
    return names[f];
}

static void found(file_look *l, flaw f, const char *text)
{
    l->flaw = f;
    snprintf(l->text, sizeof l->text, "%.*s", (int)sizeof l->text - 1, text);
}

static bool is_zero(const void *p, size_t n)
{
    const char *c = p;
    for (size_t i = 0; i < n; i++)
        if (c[i])
            return false;
    return true;
}

/* A slot that was never written is all zero. */
static bool is_slot_torn(int fd, const queue_head *h, uint32_t i)
{
    queue_slot s;
    size_t got;
    if (!file_pread_all(fd, &s, sizeof s, (off_t)(h->slots_offset + (uint64_t)i * sizeof s), &got) || got != sizeof s)
        return false;
    str covered = { (const char *)&s + sizeof s.checksum, sizeof s - sizeof s.checksum };
    return !is_zero(&s, sizeof s) && (s.state > SLOT_FAILED || s.checksum != checksum(0, covered));
}

static bool is_schedule_torn(int fd)
{
    queue_schedule s;
    size_t got;
    return file_pread_all(fd, &s, sizeof s, QUEUE_SCHEDULE_AT, &got) && got == sizeof s && !is_zero(&s, sizeof s) &&
           s.checksum != checksum(0, (str){ (const char *)&s, offsetof(queue_schedule, checksum) });
}

static uint32_t torn_count(int fd, const queue_message *m)
{
    uint32_t n = is_schedule_torn(fd);
    for (uint32_t i = 0; i < m->head.recipient_count; i++)
        n += is_slot_torn(fd, &m->head, i);
    return n;
}

static void inside_look(int fd, uint64_t id, file_look *l)
{
    arena a = arena_new(0);
    queue_message m;
    fault f = queue_read(fd, &a, &m);
    flaw as = f.kind == FAULT_REFUSED ? FLAW_UNFINISHED : FLAW_DAMAGED;
    if (!is_fault(f))
        f = queue_content_check(fd, &m.head);
    if (is_fault(f)) {
        found(l, as, f.text);
    } else {
        l->id = m.head.id;
        if (id && m.head.id != id)
            found(l, FLAW_MISPLACED, queue_id_text(m.head.id).text);
        else if (torn_count(fd, &m))
            found(l, FLAW_TORN, "a state was half written");
    }
    arena_free(&a);
}

static void owner_look(int queue_fd, const struct stat *st, file_look *l)
{
    struct stat folder;
    if (fstat(queue_fd, &folder) != 0)
        return;
    if ((st->st_mode & 07777) != 0600)
        found(l, FLAW_MODE, "its mode is not 0600");
    else if (st->st_uid != folder.st_uid)
        found(l, FLAW_MODE, "it is not of the owner of the queue");
    else if (st->st_nlink != 1)
        found(l, FLAW_STRANGE, "it has another name, too");
}

file_look check_file(int queue_fd, int folder_fd, const char *name, uint64_t id)
{
    file_look l = { .flaw = FLAW_NONE };
    struct stat st;
    if (fstatat(folder_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return l; /* it has gone meanwhile */
    l.bytes = (uint64_t)st.st_size;
    if (!S_ISREG(st.st_mode) || id == 0) {
        found(&l, FLAW_STRANGE, id == 0 ? "not a name of a queue file" : "not a regular file");
        return l;
    }
    int fd = openat(folder_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && errno != ENOENT)
        found(&l, FLAW_DAMAGED, fault_errno("open").text);
    if (fd >= 0)
        inside_look(fd, id, &l);
    if (fd >= 0 && l.flaw == FLAW_NONE)
        owner_look(queue_fd, &st, &l);
    fd_close(&fd);
    return l;
}

bool check_mode_mend(int queue_fd, int folder_fd, const char *name)
{
    int fd = openat(folder_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    bool is_done = fd >= 0 && stopped_own(queue_fd, fd) && fchmod(fd, 0600) == 0 && fsync(fd) == 0;
    fd_close(&fd);
    return is_done;
}

bool check_torn_mend(int folder_fd, const char *name)
{
    static const queue_slot nothing;
    int fd = openat(folder_fd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    arena a = arena_new(0);
    queue_message m;
    bool is_done = fd >= 0 && !is_fault(queue_read(fd, &a, &m));
    for (uint32_t i = 0; is_done && i < m.head.recipient_count; i++)
        if (is_slot_torn(fd, &m.head, i))
            is_done = !is_fault(queue_slot_write(fd, &m.head, i, &nothing));
    if (is_done && is_schedule_torn(fd))
        is_done = !is_fault(queue_schedule_write(fd, 0, 0));
    is_done = is_done && fsync(fd) == 0;
    arena_free(&a);
    fd_close(&fd);
    return is_done;
}
