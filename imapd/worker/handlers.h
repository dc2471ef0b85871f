/* Handlers of the verbs, by the file that has them, and what those files lend each other. Runs in: imapd-worker. A handler answers
 * the command, or starts a job that will. */
#pragma once
#include "imapd/worker/session.h"

typedef void handler(session *s, const imap_command *c);

/* simple.c */
handler on_capability, on_noop, on_logout, on_id, on_enable, on_namespace;

/* select.c */
handler on_select, on_examine, on_close, on_unselect, on_expunge;

/* folders.c */
handler on_create, on_delete, on_rename, on_subscribe, on_unsubscribe, on_status;

/* list.c */
handler on_list, on_lsub;

/* append.c */
handler on_append;
size_t append_take(session *s, str bytes);
void append_drop(session *s);

/* fetch.c */
handler on_fetch;
/* FETCH responses with the flags of these messages, then the answer "OK `done`". Takes the set. */
void fetch_flags(session *s, uid_set *uids, bool has_uid, const char *done);

/* flags.c */
handler on_store;
bool flags_write(session *s, const message_info *info, buf *out); /* "(\Seen …)" */
void flags_announce(session *s);                                  /* FLAGS and PERMANENTFLAGS */
/* Bits of keywords by name; false: it was answered. */
bool flags_keywords(session *s, const imap_flags *flags, bool may_add, uint32_t *bits_out);

/* copy.c */
handler on_copy, on_move;

/* search.c */
handler on_search;

/* idle.c */
handler on_idle;
void idle_end(session *s, str line);

/* news.c: what happened to the selected mailbox since it was last told. */
void news_tell(session *s, bool may_expunge, bool is_sync_due);
bool news_tell_flags(session *s); /* what is due of them, as far as there is room; true: all */
