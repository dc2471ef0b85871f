#include "imapd/worker/handlers.h"

typedef struct verb {
    handler *handle;
    enum tells tells; /* RFC 3501 7.4.1: FETCH, STORE and SEARCH may not be answered with an EXPUNGE, unless by UID */
} verb;

static const verb verbs[] = {
    [IMAP_APPEND] = { on_append, TELLS_ALL },
    [IMAP_CAPABILITY] = { on_capability, TELLS_ALL },
    [IMAP_CHECK] = { on_noop, TELLS_ALL },
    [IMAP_CLOSE] = { on_close, TELLS_NOTHING },
    [IMAP_COPY] = { on_copy, TELLS_ALL },
    [IMAP_CREATE] = { on_create, TELLS_ALL },
    [IMAP_DELETE] = { on_delete, TELLS_ALL },
    [IMAP_ENABLE] = { on_enable, TELLS_ALL },
    [IMAP_EXAMINE] = { on_examine, TELLS_NOTHING },
    [IMAP_EXPUNGE] = { on_expunge, TELLS_ALL },
    [IMAP_FETCH] = { on_fetch, TELLS_NO_EXPUNGE },
    [IMAP_ID] = { on_id, TELLS_ALL },
    [IMAP_IDLE] = { on_idle, TELLS_ALL },
    [IMAP_LIST] = { on_list, TELLS_ALL },
    [IMAP_LOGOUT] = { on_logout, TELLS_NOTHING },
    [IMAP_LSUB] = { on_lsub, TELLS_ALL },
    [IMAP_MOVE] = { on_move, TELLS_ALL },
    [IMAP_NAMESPACE] = { on_namespace, TELLS_ALL },
    [IMAP_NOOP] = { on_noop, TELLS_ALL },
    [IMAP_RENAME] = { on_rename, TELLS_ALL },
    [IMAP_SEARCH] = { on_search, TELLS_NO_EXPUNGE },
    [IMAP_SELECT] = { on_select, TELLS_NOTHING },
    [IMAP_STATUS] = { on_status, TELLS_ALL },
    [IMAP_STORE] = { on_store, TELLS_NO_EXPUNGE },
    [IMAP_SUBSCRIBE] = { on_subscribe, TELLS_ALL },
    [IMAP_UNSELECT] = { on_unselect, TELLS_NOTHING },
    [IMAP_UNSUBSCRIBE] = { on_unsubscribe, TELLS_ALL },
};

void session_dispatch(session *s)
{
    const imap_command *c = &s->command;
    const verb *v = c->verb < COUNT_OF(verbs) ? &verbs[c->verb] : NULL;
    if (v == NULL || v->handle == NULL) {
        session_answer(s, "BAD Not possible here");
        return;
    }
    s->tells = c->is_uid ? TELLS_ALL : v->tells;
    v->handle(s, c);
}
