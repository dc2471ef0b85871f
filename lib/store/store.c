#include "store/store.h"
#include "store/internal.h"
#include "base/clock.h"
#include "base/log.h"
#include "os/fd.h"
#include "os/file.h"
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

/* Without a dot in front, so that no mail program takes it for a mailbox. */
#define META_FOLDER "postrider"

/* LMDB's lists of pages come from mmap then, every time, and leave no holes in a heap that is to be small while
 * idle. */
enum { MAP_FROM_BYTES = 4096 }; /* what is large and passing leaves no holes between what stays */

static fault folder_check(int dirfd)
{
    struct stat st;
    if (fstat(dirfd, &st) != 0)
        return fault_errno("cannot look at the mail folder");
    if (!S_ISDIR(st.st_mode))
        return fault_make(FAULT_REFUSED, "2.0", "the mail folder is not a folder");
    if (st.st_uid != geteuid())
        return fault_make(FAULT_TRY_LATER, "3.5", "the mail folder belongs to uid %u, not %u", (unsigned)st.st_uid,
                          (unsigned)geteuid());
    return NO_FAULT;
}

static char *host_name(str host)
{
    char own[65] = "localhost";
    if (host.n == 0) {
        (void)gethostname(own, sizeof own - 1);
        host = str_c(own);
    }
    char *copy = memory_get(host.n + 1);
    memcpy(copy, host.p, host.n);
    return copy;
}

static fault meta_open(store *s)
{
    fault f = folder_make(s->dirfd, META_FOLDER);
    if (is_fault(f))
        return f;
    s->metafd = file_open_beneath(s->dirfd, META_FOLDER, O_RDONLY | O_DIRECTORY, 0);
    return s->metafd < 0 ? fault_errno("cannot open the folder %s", META_FOLDER) : NO_FAULT;
}

fault store_open(int mail_dirfd, const store_options *options, store **out)
{
    fault f = folder_check(mail_dirfd);
    if (is_fault(f))
        return f;
    (void)mallopt(M_MMAP_THRESHOLD, MAP_FROM_BYTES);
    store *s = memory_get(sizeof *s);
    s->dirfd = mail_dirfd;
    s->metafd = s->cache_lockfd = s->inotify_fd = -1;
    s->pid = (uint32_t)getpid();
    s->host = host_name(options ? options->host : STR_NONE);
    if (getrandom(&s->random, sizeof s->random, 0) < 0)
        s->random = (uint32_t)clock_us();
    f = folder_make_maildir(mail_dirfd, true);
    if (!is_fault(f))
        f = meta_open(s);
    if (!is_fault(f)) {
        s->index = (env){ .file = "index", .dirfd = s->metafd, .flags = MDB_NOMETASYNC };
        s->cache = (env){ .file = "cache", .dirfd = s->metafd, .flags = MDB_NOSYNC };
        f = store_index(s);
    }
    if (is_fault(f)) {
        store_close(s);
        return f;
    }
    *out = s;
    return NO_FAULT;
}

void store_close(store *s)
{
    if (s == NULL)
        return;
    learned_flush(s);
    vec_free(&s->learned);
    cache_close(s);
    vec_free(&s->cached);
    env_close(&s->index);
    fd_close(&s->metafd);
    fd_close(&s->inotify_fd);
    free(s->host);
    free(s);
}

void store_sleep(store *s)
{
    learned_flush(s);
    vec_free(&s->learned);
    cache_close(s);
    vec_free(&s->cached);
    env_close(&s->index);
    malloc_trim(0);
}

fault store_wake(store *s)
{
    return store_index(s);
}

static fault head_write(MDB_txn *t, void *context)
{
    store *s = context;
    index_head h;
    if (index_head_get(t, &h)) { /* another process was first */
        s->generation = h.generation;
        return NO_FAULT;
    }
    fault f = env_fault(&s->index, index_create(t), "create");
    if (!is_fault(f) && index_head_get(t, &h))
        s->generation = h.generation;
    return f;
}

static fault head_read(store *s)
{
    MDB_txn *t;
    index_head h;
    fault f = env_read(&s->index, &t);
    if (is_fault(f))
        return f;
    bool has_head = index_head_get(t, &h);
    env_read_end(&s->index);
    if (has_head) {
        s->generation = h.generation;
        return NO_FAULT;
    }
    f = env_write(&s->index, head_write, s);
    return is_fault(f) ? f : env_sync(&s->index);
}

fault store_index(store *s)
{
    if (s->index.env)
        return s->index.is_unsynced ? env_sync(&s->index) : NO_FAULT;
    fault f = env_open(&s->index);
    if (!is_fault(f))
        f = head_read(s);
    if (is_fault(f) && s->index.is_damaged) {
        log_fault(LOG_ERROR, "index-damaged", f);
        env_set_aside(&s->index);
        f = env_open(&s->index);
        if (!is_fault(f))
            f = head_read(s);
    }
    return f;
}

void store_file_name(store *s, buf *out)
{
    maildir_name_new(clock_us(), s->pid, ++s->counter, s->random, str_c(s->host), out);
}
