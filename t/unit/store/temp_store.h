/* A store in a folder of its own under /tmp, for the tests of lib/store. */
#pragma once
#include "store/store.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

typedef struct temp {
    char path[64];
    int dirfd;
    store *s;
} temp;

#define OK(call)                                                                                                       \
    do {                                                                                                               \
        fault ok_fault = (call);                                                                                       \
        if (is_fault(ok_fault))                                                                                        \
            fail_msg("%s", ok_fault.text);                                                                             \
    } while (0)
#define REFUSED(call) assert_int_equal((call).kind, FAULT_REFUSED)

static inline void temp_store_open(temp *t)
{
    OK(store_open(t->dirfd, &(store_options){ .host = STR("host.example") }, &t->s));
}

static inline temp temp_open(void)
{
    temp t = { .path = "/tmp/store.XXXXXX" };
    assert_non_null(mkdtemp(t.path));
    t.dirfd = open(t.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(t.dirfd >= 0);
    temp_store_open(&t);
    return t;
}

static inline void temp_reopen(temp *t)
{
    store_close(t->s);
    temp_store_open(t);
}

static inline int temp_remove(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path);
}

static inline void temp_close(temp *t)
{
    store_close(t->s);
    close(t->dirfd);
    nftw(t->path, temp_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/* As another program would. */
static inline void temp_write(const temp *t, const char *path, const char *content)
{
    int fd = openat(t->dirfd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, strlen(content)), strlen(content));
    close(fd);
}

static inline void temp_rename(const temp *t, const char *from, const char *to)
{
    assert_int_equal(renameat(t->dirfd, from, t->dirfd, to), 0);
}

/* The folder's times go back, as if nothing had happened for a while. */
static inline void temp_settle(const temp *t, const char *folder)
{
    struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
    assert_int_equal(utimensat(t->dirfd, folder, old, 0), 0);
}

/* How many names without a dot in front; *last_out (512 bytes, may be NULL) gets one of them. */
static inline unsigned temp_count(const temp *t, const char *folder, char *last_out)
{
    unsigned n = 0;
    DIR *d = fdopendir(openat(t->dirfd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        if (e->d_name[0] != '.') {
            n++;
            if (last_out)
                snprintf(last_out, 512, "%s", e->d_name);
        }
    closedir(d);
    return n;
}

static inline fault temp_deliver_to(temp *t, const char *mailbox_name, const char *content)
{
    fault result = NO_FAULT;
    delivery *d = delivery_new(t->s);
    fault f = delivery_begin(d, str_c(mailbox_name), NULL);
    if (!is_fault(f))
        f = delivery_write(d, str_c(content));
    if (!is_fault(f))
        f = delivery_end(d);
    if (!is_fault(f))
        delivery_commit(d, &result);
    delivery_free(d);
    return is_fault(f) ? f : result;
}

static inline void temp_deliver(temp *t, const char *content)
{
    OK(temp_deliver_to(t, "INBOX", content));
}

static inline uint32_t temp_append(temp *t, const char *mailbox_name, const char *content, unsigned flags)
{
    uint32_t validity, uid;
    delivery *d = delivery_new(t->s);
    OK(delivery_begin(d, str_c(mailbox_name), &(message_options){ .flags = flags }));
    OK(delivery_write(d, str_c(content)));
    OK(delivery_end(d));
    OK(delivery_append(d, &validity, &uid));
    delivery_free(d);
    return uid;
}

static inline mailbox *temp_select(temp *t, const char *name)
{
    mailbox *m = NULL;
    OK(mailbox_open(t->s, str_c(name), false, &m));
    return m;
}

static inline void temp_poll(mailbox *m)
{
    mailbox_changes c;
    OK(mailbox_poll(m, false, &c));
    mailbox_changes_free(&c);
}

static inline void temp_sync(mailbox *m)
{
    OK(mailbox_sync(m));
    temp_poll(m);
}

static inline message_info temp_info(mailbox *m, uint32_t uid)
{
    message_info info = { 0 };
    size_t n;
    uid_set one = { 0 };
    uid_set_add(&one, uid, uid);
    OK(mailbox_read(m, &one, 1, &info, 1, &n));
    uid_set_free(&one);
    assert_int_equal(n, 1);
    return info;
}

static inline void temp_flag(mailbox *m, uint32_t first, uint32_t last, flag_action action, uint32_t flags)
{
    uid_set uids = { 0 };
    uid_set_add(&uids, first, last);
    OK(mailbox_change_flags(m, &(flag_change){ .uids = &uids, .action = action, .flags = flags }, 1, NULL));
    uid_set_free(&uids);
}

static inline void temp_work(store *s)
{
    bool has_more = true;
    for (unsigned i = 0; has_more && i < 1000; i++)
        OK(store_idle_work(s, 50, &has_more));
}

static inline void temp_content(mailbox *m, uint32_t uid, const char *wanted)
{
    buf b = buf_new(1 << 20);
    OK(mailbox_load(m, uid, &b));
    assert_string_equal(buf_c(&b), wanted);
    buf_free(&b);
}
