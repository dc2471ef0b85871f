/* What the files of lib/store share; nobody else includes it. Runs in: the mail user's workers. */
#pragma once
#include "store/index.h"
#include "store/store.h"

typedef struct cached { /* a blob that is not yet in the cache */
    uint32_t id, uid;
    char kind;
    char *p;
    size_t n;
} cached;

typedef struct learned { /* what a look at the file told and the index does not have yet */
    uint32_t id, uid;
    uint32_t date_s, stored_bytes, wire_bytes; /* 0, SIZE_UNKNOWN: not this one */
} learned;

struct store {
    int dirfd;  /* the mail folder; the caller's */
    int metafd; /* postrider/ in it */
    char *host;
    uint32_t pid, random, counter; /* for file names */
    env index, cache;
    uint64_t generation;     /* the index's */
    uint64_t cache_instance; /* the cache file's */
    bool is_cache_written;
    VEC(cached) cached;
    size_t cached_bytes;
    VEC(learned) learned;
    int cache_lockfd;
    int inotify_fd;
    mailbox *mailboxes; /* open ones */
    uint64_t cleaned_s; /* when old files in tmp/ were looked for */
};

typedef struct box { /* a mailbox as a folder and an id */
    store *s;
    uint32_t id, uidvalidity;
    int dirfd;
} box;

struct mailbox {
    box box;
    mailbox *next;
    bool is_readonly, is_touched, has_watch;
    int watches[2]; /* of new/ and cur/ */
    uid_set uids;
    VEC(uint32_t) before; /* members in front of each range of uids */
    uid_set recent;
    VEC(uint64_t) own;    /* MODSEQs of this view's own changes, not to be told by poll */
    uint64_t modseq;      /* changes up to here were told */
    uint64_t gone_modseq; /* expunges up to here were told */
    uint32_t uidnext;
    char *keywords[KEYWORDS_MAX];
    unsigned n_keywords;
};

/* store.c: the index, opened and with a head; a damaged one is replaced. */
fault store_index(store *s);
void store_file_name(store *s, buf *out); /* a new base name, without sizes */

/* folder.c */
enum { MAIL_FOLDER_MODE = 0700, MAIL_FILE_MODE = 0600 };
bool folder_stamp(int dirfd, const char *sub, uint64_t now_ns, dir_stamp *out);
fault folder_make(int dirfd, const char *name); /* no-op when it is there */
fault folder_make_maildir(int dirfd, bool is_inbox); /* cur, new, tmp */
enum listed { LIST_FILES, LIST_FOLDERS };
/* Calls visit for each name in dirfd/sub, in the disk's order; links, FIFOs and the rest are left out, and "." and
 * "..". */
fault folder_list(int dirfd, const char *sub, enum listed what, void (*visit)(void *context, str name), void *context);
bool folder_sync(int dirfd, const char *sub);

/* box.c: by name. FAULT_REFUSED: bad name, or no such mailbox. */
fault box_open(store *s, str name, box *out);
void box_close(box *b);
fault disk_fault(const char *what); /* errno; "2.2" when the user's quota is full */
fault name_canonical(str name, buf *name_out, buf *folder_out); /* "inbox" is INBOX; FAULT_REFUSED */
fault box_is_gone(void); /* the fault that says so */

/* sync.c: what the folder has becomes what the index has. `claimer` (may be NULL) gets \Recent. */
fault box_sync(box *b, mailbox *claimer, bool is_forced);

/* uidlist.c: UIDs of a dovecot-uidlist into a mailbox without messages. *uidvalidity_out 0: there is none. */
typedef struct uidlist {
    buf text;
    uint32_t uidvalidity, uidnext;
    str rows;
} uidlist;
void uidlist_read(int dirfd, uidlist *out);
void uidlist_import(box_writer *w, const uidlist *u);

/* keywords.c */
bool keywords_load(mailbox *m); /* true: there are more than before */
void keywords_free(mailbox *m);
fault keywords_bits(box *b, const str *wanted, size_t n, bool may_add, uint32_t *bits_out);
void keywords_read_file(int dirfd, buf *names_out); /* dovecot-keywords: names by bit, each ended by LF */

/* locate.c: runs `use` on the message's path in its folder ("cur/NAME"); once more after a merge when it returns
 * ENOENT. */
fault message_at(box *b, uint32_t uid, int (*use)(box *b, const char *path, void *context), void *context);

/* torn.c: a delivery of ours that a power cut tore was never acknowledged, and comes again from the queue. True: it was one, and
 * stands no longer at `path` ("new/NAME", "cur/NAME"). By its size when it is in new/, as others may edit what is in cur/; by
 * blocks without content when it is open (fd -1: it is not). */
struct stat;
bool torn_set_aside(int dirfd, const char *path, int fd, const struct stat *st);

/* learned.c */
void learned_add(store *s, learned l);
bool learned_find(const store *s, uint32_t id, uint32_t uid, learned *out); /* what is known of it there */
void learned_flush(store *s);

/* trash.c: a deleted mailbox's folder goes aside at once, and its files bit by bit. */
fault trash_move(store *s, const char *folder);
bool trash_empty(store *s, unsigned max); /* true: more is to do */

/* cache.c */
void cache_forget(store *s, uint32_t id, const uid_set *uids); /* uids NULL: the whole mailbox */
void cache_close(store *s);

/* view.c */
void view_ranks(mailbox *m); /* after each change of m->uids */

/* box.c: the folder alone, without the index. -1 in *dirfd_out with a fault. */
fault folder_open(store *s, str name, int *dirfd_out);
