/* cleanup: makes a message whole and durable. It reads headers through descriptors and asks qmgr for every name. */
#include "cleanup/cleanup.h"
#include "os/interfaces.h"

static const contract cleanup_contract = {
    .role = "cleanup",
    .root = ROOT_EMPTY,
    .calls = CALLS_LOOP | CALLS_ACCEPT | CALLS_RECEIVE | CALLS_CONTENT | CALLS_TOGETHER,
    .limits = { .open_files = 8192 },
    .peers = "smtpd pickup bounce local pipe qmgr policy submit",
};

/* Tables are opened while there are files; what is wrong with them was said by `postrider check`, and defers mail. */
static bool prepare(process *p)
{
    cleanup *c = p->state;
    arena a = arena_new(0);
    problems ps = { .arena = &a };
    buf own = buf_new(64 * 1024);
    c->process = p;
    interfaces_list(&own);
    c->own_addresses = buf_str(&own);
    content_checks_open(daemon_config(p), &c->checks, &ps);
    clients_open(c, &ps);
    problems_to_log(&ps);
    problems_free(&ps);
    arena_free(&a);
    return true;
}

/* From here on there are none: what was opened stays as it is. */
static bool start(process *p)
{
    cleanup *c = p->state;
    c->checks.context.root = c->local.context.root = STR("/nowhere");
    return true;
}

/* Where tables of ours are configured, another process is started instead (master/roles.c). */
static void reloaded(process *p)
{
    cleanup *c = p->state;
    arena a = arena_new(0);
    problems ps = { .arena = &a };
    content_checks_free(&c->checks);
    clients_close(c);
    clients_open(c, &ps);
    problems_free(&ps);
    arena_free(&a);
}

int main(void)
{
    static cleanup c;
    const peer_row peers[] = {
        { "smtpd", bring_talk, bring_opened, bring_lost },
        { "pickup", bring_talk, bring_opened, bring_lost },
        { "local", bring_talk, bring_opened, bring_lost },
        { "pipe", bring_talk, bring_opened, bring_lost },
        { "bounce", bring_talk, bring_opened, bring_lost },
        { "qmgr", qmgr_talk, stock_opened, stock_lost },
        { "policy", policy_talk, NULL, resolve_lost },
    };
    const program cleanup_program = { .contract = &cleanup_contract,
                                      .peers = peers,
                                      .peer_count = COUNT_OF(peers),
                                      .prepare = prepare,
                                      .start = start,
                                      .on_reload = reloaded,
                                      .on_connection = bring_submit };
    return daemon_run(&cleanup_program, &c);
}
