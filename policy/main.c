/* policy: decides, by a pure function over tables. It sees addresses; never content, never passwords. */
#include "policy/policy.h"

static const contract policy_contract = {
    .role = "policy",
    .root = ROOT_HOST,
    .calls = CALLS_LOOP | CALLS_RECEIVE | CALLS_CONTENT | CALLS_READ_FILES | CALLS_LMDB,
    .files = FILES_NONE, /* the folders of its tables are identity.rules */
    .peers = "smtpd cleanup qmgr auth",
};

static bool start(process *p)
{
    policy *state = p->state;
    state->process = p;
    users_start(state);
    return true;
}

static void report(process *p, buf *detail)
{
    policy *state = p->state;
    buf_printf(detail, "asked=%llu users_known=%zu tables=%zu", (unsigned long long)state->answered, state->users.n,
               state->tables.tables.n + state->aliases.tables.n);
}

int main(void)
{
    static policy state;
    const peer_row peers[] = {
        { "smtpd", ask_talk, NULL, ask_lost },
        { "cleanup", ask_talk, NULL, ask_lost },
        { "qmgr", ask_talk, NULL, ask_lost },
        { "auth", auth_talk, users_auth_opened, users_auth_lost },
    };
    const program policy_program = { .contract = &policy_contract, .peers = peers, .peer_count = COUNT_OF(peers),
                                     .prepare = rules_prepare, .start = start, .report = report };
    return daemon_run(&policy_program, &state);
}
