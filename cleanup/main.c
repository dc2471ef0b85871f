/* cleanup: makes a message whole and durable. It reads headers through descriptors and asks qmgr for every name. */
#include "cleanup/cleanup.h"

static const contract cleanup_contract = {
    .role = "cleanup",
    .root = ROOT_EMPTY,
    .calls = CALLS_LOOP | CALLS_ACCEPT | CALLS_RECEIVE | CALLS_CONTENT,
    .limits = { .open_files = 8192 },
    .peers = "smtpd pickup bounce local qmgr policy submit",
};

static bool prepare(process *p)
{
    cleanup *c = p->state;
    c->process = p;
    return true;
}

int main(void)
{
    static cleanup c;
    const peer_row peers[] = {
        { "smtpd", bring_talk, bring_opened, bring_lost },
        { "pickup", bring_talk, bring_opened, bring_lost },
        { "local", bring_talk, bring_opened, bring_lost },
        { "bounce", bring_talk, bring_opened, bring_lost },
        { "qmgr", qmgr_talk, stock_opened, stock_lost },
        { "policy", policy_talk, NULL, resolve_lost },
    };
    const program cleanup_program = { .contract = &cleanup_contract,
                                      .peers = peers,
                                      .peer_count = COUNT_OF(peers),
                                      .prepare = prepare,
                                      .on_connection = bring_submit };
    return daemon_run(&cleanup_program, &c);
}
