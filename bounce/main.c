/* bounce: makes reports to senders. It reads failure texts and, through descriptors, messages; it has no file and no network. */
#include "bounce/bounce.h"

static const contract bounce_contract = {
    .role = "bounce",
    .root = ROOT_EMPTY,
    .calls = CALLS_LOOP | CALLS_RECEIVE | CALLS_CONTENT,
    .limits = { .open_files = 4096 },
    .peers = "qmgr cleanup smtpd",
};

/* A reload starts another bounce: the templates are read before the walls are up. */
static bool prepare(process *p)
{
    bounce *b = p->state;
    b->process = p;
    templates_load(b);
    return true;
}

static void report(process *p, buf *detail)
{
    bounce *b = p->state;
    buf_printf(detail, "reported=%llu copied=%llu dropped=%llu", (unsigned long long)b->reported,
               (unsigned long long)b->copied, (unsigned long long)b->dropped);
}

int main(void)
{
    static bounce b;
    const peer_row peers[] = {
        { "qmgr", qmgr_talk, NULL, jobs_qmgr_lost },
        { "cleanup", cleanup_talk, NULL, bring_lost },
        { "smtpd", notice_talk, NULL, NULL },
    };
    const program bounce_program = { .contract = &bounce_contract,
                                     .peers = peers,
                                     .peer_count = COUNT_OF(peers),
                                     .prepare = prepare,
                                     .report = report };
    return daemon_run(&bounce_program, &b);
}
