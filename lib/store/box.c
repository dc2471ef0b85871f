#include "os/fd.h"
#include "os/file.h"
#include "store/internal.h"
#include "store/mailbox_name.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define UIDLIST "dovecot-uidlist"

fault box_is_gone(void)
{
    return fault_make(FAULT_REFUSED, "2.0", "the mailbox was deleted");
}

fault disk_fault(const char *what)
{
    int number = errno;
    fault f = fault_errno("cannot %s", what);
    if (number == EDQUOT)
        memcpy(f.status, "2.2", 4);
    return f;
}

fault name_canonical(str name, buf *name_out, buf *folder_out)
{
    buf_clear(name_out);
    if (!mailbox_name_to_folder(name, folder_out))
        return fault_make(FAULT_REFUSED, "2.0", "not a mailbox name");
    if (folder_out->n == 0)
        buf_append(name_out, STR("INBOX"));
    else if (!mailbox_name_from_folder(buf_str(folder_out), name_out))
        return fault_make(FAULT_REFUSED, "2.0", "not a mailbox name");
    return NO_FAULT;
}

typedef struct creation {
    box *b;
    str name;
    uidlist old;
    buf keywords;
} creation;

static fault creation_write(MDB_txn *t, void *context)
{
    creation *c = context;
    box_writer w;
    box_state state;

    if (index_box_find(t, c->name, &c->b->id) && index_box_get(t, c->b->id, &state, NULL)) {
        c->b->uidvalidity = state.uidvalidity; /* another process was first */
        return NO_FAULT;
    }
    int result = index_box_create(t, c->name, c->old.uidvalidity, &c->b->id);
    if (result == 0 && c->keywords.n)
        result = index_keywords_put(t, c->b->id, buf_str(&c->keywords));
    if (result == 0 && box_writer_open(&w, t, c->b->id)) {
        uidlist_import(&w, &c->old);
        c->b->uidvalidity = w.box.uidvalidity;
        result = box_writer_finish(&w);
    }
    return env_fault(&c->b->s->index, result, "write");
}

/* A folder that the index does not know. Once imported a dovecot-uidlist is set aside: were the index lost, an old
 * list would give UIDs a second time. */
static fault box_create(box *b, str name)
{
    creation c = { .b = b, .name = name, .keywords = buf_new(1 << 14) };

    uidlist_read(b->dirfd, &c.old);
    keywords_read_file(b->dirfd, &c.keywords);
    fault f = env_write(&b->s->index, creation_write, &c);
    if (!is_fault(f))
        f = env_sync(&b->s->index);
    if (!is_fault(f) && c.old.uidvalidity)
        renameat(b->dirfd, UIDLIST, b->dirfd, UIDLIST ".imported");
    buf_free(&c.old.text);
    buf_free(&c.keywords);
    return f;
}

static fault box_find(box *b, str name)
{
    MDB_txn *t;
    box_state state;
    fault f = store_index(b->s);

    if (!is_fault(f))
        f = env_read(&b->s->index, &t);
    if (is_fault(f))
        return f;
    bool is_there = index_box_find(t, name, &b->id) && index_box_get(t, b->id, &state, NULL);
    env_read_end(&b->s->index);
    if (!is_there)
        return box_create(b, name);
    b->uidvalidity = state.uidvalidity;
    return NO_FAULT;
}

static fault maildir_open(store *s, const char *folder, int *dirfd_out)
{
    struct stat st;

    *dirfd_out = file_open_beneath(s->dirfd, folder[0] ? folder : ".", O_RDONLY | O_DIRECTORY, 0);
    if (*dirfd_out < 0 && errno != ENOENT && errno != ENOTDIR && errno != ELOOP)
        return fault_errno("cannot open the mailbox");
    if (*dirfd_out >= 0 && fstatat(*dirfd_out, "cur", &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
        return NO_FAULT;
    fd_close(dirfd_out);
    return fault_make(FAULT_REFUSED, "2.0", "no such mailbox");
}

fault folder_open(store *s, str name, int *dirfd_out)
{
    buf canonical = buf_new(MAILBOX_NAME_MAX + 64), folder = buf_new(4 * MAILBOX_NAME_MAX);
    fault f = name_canonical(name, &canonical, &folder);

    *dirfd_out = -1;
    if (!is_fault(f))
        f = maildir_open(s, buf_c(&folder), dirfd_out);
    buf_free(&canonical);
    buf_free(&folder);
    return f;
}

fault box_open(store *s, str name, box *out)
{
    buf canonical = buf_new(MAILBOX_NAME_MAX + 64), folder = buf_new(4 * MAILBOX_NAME_MAX);
    *out = (box){ .s = s, .dirfd = -1 };
    fault f = name_canonical(name, &canonical, &folder);

    if (!is_fault(f))
        f = maildir_open(s, buf_c(&folder), &out->dirfd);
    if (!is_fault(f))
        f = box_find(out, buf_str(&canonical));
    buf_free(&canonical);
    buf_free(&folder);
    if (is_fault(f))
        box_close(out);
    return f;
}

void box_close(box *b)
{
    fd_close(&b->dirfd);
}
