/* A user's mail: Maildir++ on disk, readable by other programs, with an LMDB index beside it (postrider/index: UIDs,
 * flags, MODSEQ) and a cache that may be lost (postrider/cache). Runs in: the workers of local, imapd and pop3d, as
 * the mail user; one store per process and folder. Everything is reached beneath the folder's descriptor, so it
 * works in a chroot. Whatever other programs do to the Maildir is noticed and merged by mailbox_sync.
 * No call keeps a read transaction open except mailbox_cache_get, and every call opens what store_sleep closed.
 * Fails: FAULT_TRY_LATER (disk; status "3.1" full), FAULT_REFUSED (no such mailbox, bad name), FAULT_BUG. */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/fault.h"
#include "store/uid_set.h"

typedef struct store store;
typedef struct mailbox mailbox; /* one session's view of a selected mailbox: its sequence numbers */
typedef struct delivery delivery;

typedef struct store_options {
    str host; /* for file names; empty: the host's own */
} store_options;

/* `mail_dirfd` stays the caller's and must stay open; the folder must belong to the effective uid. Creates what is
 * missing. */
fault store_open(int mail_dirfd, const store_options *options, store **out);
void store_close(store *s); /* its mailboxes and deliveries are closed before */

/* For idle workers: closes the environments and gives memory back. Mailboxes stay selected. */
void store_sleep(store *s);
fault store_wake(store *s); /* at once instead of with the next call */

/* What can wait: renames of files after changes of flags, new/ to cur/, old files in tmp/, trash. Does about `max`
 * files. */
fault store_idle_work(store *s, unsigned max, bool *more_out);

/* Mailboxes: names are UTF-8 with '/' between levels; INBOX in any case. */

#define MAILBOX_DELIMITER '/'

typedef struct mailbox_entry {
    str name;
    bool is_selectable; /* false: stands only for its children */
    bool has_children, is_subscribed;
} mailbox_entry;

/* Every mailbox and every level above one, sorted; INBOX first. Matching of LIST patterns: store/list_pattern.h. */
fault store_list(store *s, arena *a, mailbox_entry **out, size_t *n_out);
/* Also names that do not exist (any more). Sorted. */
fault store_subscriptions(store *s, arena *a, str **out, size_t *n_out);
fault store_subscribe(store *s, str name, bool is_subscribed);

bool store_exists(store *s, str name);
fault store_create(store *s, str name); /* one '/' at the end is ignored */
fault store_delete(store *s, str name); /* its children stay */
/* With its children. INBOX: its messages move to the new mailbox and INBOX stays (RFC 3501 6.3.5). */
fault store_rename(store *s, str from, str to);

typedef struct mailbox_status {
    uint32_t messages, recent, unseen, uidnext, uidvalidity;
    uint64_t modseq; /* the highest */
} mailbox_status;

fault store_status(store *s, str name, mailbox_status *out); /* merges the folder first */

/* Delivery and APPEND. */

enum message_flag {
    MESSAGE_SEEN = 1,
    MESSAGE_ANSWERED = 2,
    MESSAGE_FLAGGED = 4,
    MESSAGE_DELETED = 8,
    MESSAGE_DRAFT = 16,
};
#define MESSAGE_FLAGS_ALL 31u

typedef struct message_options {
    unsigned flags;      /* message_flag; with flags or keywords it goes to cur/ */
    const str *keywords; /* delivery_append only */
    size_t n_keywords;
    int64_t date_s;      /* INTERNALDATE; 0: now */
} message_options;

/* A batch of messages. begin, write…, end for each; then delivery_commit or delivery_append. Content is CRLF and
 * stored with LF. */
delivery *delivery_new(store *s);
fault delivery_begin(delivery *d, str mailbox_name, const message_options *options); /* options may be NULL */
fault delivery_write(delivery *d, str bytes);
fault delivery_copy(delivery *d, int fd, uint64_t offset, uint64_t bytes); /* as delivery_write, from a file */
fault delivery_end(delivery *d);
void delivery_cancel(delivery *d); /* the message that was begun; also right after a fault */

/* Renames all, starts write-back on all, then syncs each: results[i] tells of the i-th message that was ended. Where
 * a result is no fault the message is durable; otherwise its file is gone. Empties the batch. */
void delivery_commit(delivery *d, fault *results);

/* All or none, into one mailbox, with their UIDs, durable: the messages got uids *first_out … *first_out + n − 1
 * (RFC 4315). */
fault delivery_append(delivery *d, uint32_t *uidvalidity_out, uint32_t *first_out);
size_t delivery_count(const delivery *d); /* messages ended */
void delivery_free(delivery *d);          /* what was not committed leaves no file behind */

/* A selected mailbox. */

/* Merges the folder; the view shows what is there then. Read-only views take no \Recent and move no file. */
fault mailbox_open(store *s, str name, bool is_readonly, mailbox **out);
void mailbox_close(mailbox *m);

/* Notices what happened to the folder; costs two stats when nothing did. The view changes by mailbox_poll only. */
fault mailbox_sync(mailbox *m);

typedef struct mailbox_changes {
    VEC(uint32_t) expunged; /* sequence numbers, the highest first: each right when it is said */
    uid_set vanished;       /* the same by UID */
    uid_set flags;          /* UIDs whose flags or keywords changed */
    uint32_t messages, recent;
    bool has_more;          /* messages arrived: EXISTS and RECENT are due */
    bool has_keywords;      /* keywords were added: FLAGS is due */
} mailbox_changes;

/* Brings the view to the index's state (of all sessions and processes; not of the folder: mailbox_sync). With
 * `keeps_expunged` (during FETCH, STORE, SEARCH: RFC 3501 7.4.1) expunged messages keep their numbers until the next
 * call without it. */
fault mailbox_poll(mailbox *m, bool keeps_expunged, mailbox_changes *out);
void mailbox_changes_free(mailbox_changes *c);

bool mailbox_is_readonly(const mailbox *m);
uint32_t mailbox_count(const mailbox *m);
uint32_t mailbox_recent(const mailbox *m);      /* how many are \Recent in this view */
uint32_t mailbox_uidvalidity(const mailbox *m);
uint32_t mailbox_uidnext(const mailbox *m);     /* as of the last poll */
uint64_t mailbox_modseq(const mailbox *m);
const uid_set *mailbox_uids(const mailbox *m);  /* lives until the next poll */
uint32_t mailbox_uid(const mailbox *m, uint32_t sequence); /* 0: none */
uint32_t mailbox_sequence(const mailbox *m, uint32_t uid); /* 0: none */
fault mailbox_first_unseen(mailbox *m, uint32_t *sequence_out); /* 0: none */

/* Sequence sets and UID sets of a command into UIDs of this view. False: a sequence number above the count. */
bool mailbox_pick_sequences(const mailbox *m, const uid_set *sequences, uid_set *out);
void mailbox_pick_uids(const mailbox *m, const uid_set *uids, uid_set *out);

/* Messages. */

#define SIZE_UNKNOWN UINT32_MAX

typedef struct message_info {
    uint32_t uid, sequence;
    uint32_t flags, keywords; /* message_flag; bit i: mailbox_keyword(m, i) */
    uint64_t modseq;
    uint32_t wire_bytes, stored_bytes; /* with CRLF, as in the file; SIZE_UNKNOWN: mailbox_size finds out */
    bool is_recent, is_expunged;       /* is_expunged: gone from the index, still in the view */
} message_info;

/* Up to `max` messages of `uids` from `from` on, in order. *n_out 0: no more. Next call: from = the last uid + 1. */
fault mailbox_read(mailbox *m, const uid_set *uids, uint32_t from, message_info *out, size_t max, size_t *n_out);

fault mailbox_size(mailbox *m, uint32_t uid, uint32_t *wire_bytes_out); /* exact octets with CRLF; remembered */
fault mailbox_date(mailbox *m, uint32_t uid, int64_t *date_s_out);      /* INTERNALDATE */
void mailbox_uidl(const mailbox *m, uint32_t uid, char out[17]); /* POP3: as Dovecot has it: it survives a move */

typedef struct message_file {
    int fd;
    uint64_t stored_bytes, offset; /* offset: read so far by message_next */
    bool ends_in_cr;
} message_file;

/* Opens the content for reading. FAULT_REFUSED: it was expunged. */
fault mailbox_open_message(mailbox *m, uint32_t uid, message_file *out);
/* Appends the next piece (64 KiB or so) with CRLF; *is_end_out at the end. */
fault message_next(message_file *f, buf *out, bool *is_end_out);
void message_close(message_file *f);
fault mailbox_load(mailbox *m, uint32_t uid, buf *out); /* the whole with CRLF; FAULT_REFUSED: more than out's max */
/* Their files will be needed soon. */
void mailbox_read_ahead(mailbox *m, const uid_set *uids, uint32_t from, unsigned count);

/* Flags. */

enum { KEYWORDS_MAX = 26 };

str mailbox_keyword(const mailbox *m, unsigned bit); /* empty: none; lives until the next call that changes keywords */
/* The bit of a keyword (names match without case); is added when it is new. FAULT_REFUSED: there are 26 already. */
fault mailbox_keyword_bit(mailbox *m, str name, bool may_add, unsigned *bit_out);

typedef enum flag_action { FLAGS_REPLACE, FLAGS_ADD, FLAGS_REMOVE } flag_action;

typedef struct flag_change {
    const uid_set *uids;
    flag_action action;
    uint32_t flags, keywords;
    bool has_unchanged_since;
    uint64_t unchanged_since; /* leaves messages with a newer MODSEQ alone (RFC 7162 3.1.3) */
} flag_change;

/* All changes in one durable transaction. The files are renamed by store_idle_work. *failed_out (may be NULL) gets
 * UIDs that unchanged_since left alone. The caller tells its own client: the next poll of this view does not repeat
 * these changes. */
fault mailbox_change_flags(mailbox *m, const flag_change *changes, size_t n, uid_set *failed_out);

/* Removes messages for good. only_deleted: those of them with \Deleted; uids NULL: all. Told by the next poll. */
fault mailbox_expunge(mailbox *m, const uid_set *uids, bool only_deleted, uid_set *expunged_out);

typedef struct copy_result {
    uint32_t uidvalidity;
    uid_set from, to; /* in the same order (RFC 4315) */
} copy_result;

/* All or none. FAULT_REFUSED when the target does not exist. */
fault mailbox_copy(mailbox *m, const uid_set *uids, str target, copy_result *out);
void copy_result_free(copy_result *r);

/* Cache: bytes by message and kind, thrown away on any doubt. */

/* Or any other letter. */
enum cache_kind { CACHE_HEADER = 'h', CACHE_ENVELOPE = 'e', CACHE_BODY = 'b', CACHE_STRUCTURE = 's' };

/* False: not there. *out points into the map until mailbox_cache_release, which is due before any wait or other
 * call. */
bool mailbox_cache_get(mailbox *m, uint32_t uid, char kind, str *out);
void mailbox_cache_release(mailbox *m);
/* Kept in memory and written in one transaction by mailbox_cache_flush (or when it is much). Never fails: it is a
 * cache. */
void mailbox_cache_put(mailbox *m, uint32_t uid, char kind, str bytes);
void mailbox_cache_flush(mailbox *m);

/* Noticing (IDLE). */

/* False: no watch is to be had (limits of the host); then call mailbox_sync every now and then. */
bool mailbox_watch(mailbox *m, bool is_on);
int store_watch_fd(store *s);      /* -1 until the first watch; readable: something happened */
void store_watch_read(store *s);   /* takes what is to be read */
bool mailbox_is_touched(mailbox *m); /* since the last question; then mailbox_sync and mailbox_poll */
