/* postrider queue: what is in the queue, and changes to it, whether the suite runs or not. Runs in: postrider. */
#include "base/clock.h"
#include "ctl/commands.h"
#include "ctl/common/text.h"
#include "ctl/queue/queue.h"
#include <stdio.h>

int queue_fault(const invocation *in, fault f)
{
    if (!is_fault(f))
        return EXIT_DONE;
    fprintf(stderr, "postrider %s: ", in->name);
    text_print(stderr, str_c(f.text));
    fputc('\n', stderr);
    if (f.kind == FAULT_TRY_LATER)
        return EX_TEMPFAIL;
    if (f.kind != FAULT_REFUSED)
        return f.kind == FAULT_BUG ? EX_SOFTWARE : EX_DATAERR;
    if (strcmp(f.status, "5.4") == 0)
        return EX_USAGE;
    return strcmp(f.status, "7.1") == 0 ? EX_NOPERM : EX_DATAERR;
}

bool queue_begin(invocation *in, queue_filter *f, bool with_damaged, view_use use, queue_view *v, int *out_status)
{
    fault wrong = f ? filter_read(f, clock_s(), with_damaged) : NO_FAULT;
    *v = (queue_view){ .queue_fd = -1, .lock_fd = -1 };
    *out_status = queue_fault(in, wrong);
    if (is_fault(wrong))
        return false;
    const config *c = command_config(in, false);
    *out_status = c ? queue_fault(in, queue_view_open(v, c, use)) : EX_CONFIG;
    return *out_status == EXIT_DONE;
}

void tally_refused(tally *t, uint64_t id, str why)
{
    t->not_changed++;
    fprintf(stderr, "postrider %s: %s: ", t->in->name, queue_id_text(id).text);
    text_print(stderr, why);
    fputc('\n', stderr);
    if (str_equal(why, STR("no such message")))
        t->status = t->status ? t->status : EX_DATAERR;
    else
        t->status = EX_TEMPFAIL;
}

void tally_print(const tally *t, const char *verb, bool is_json)
{
    if (is_json)
        printf("{\"changed\":%zu}\n", t->changed);
    else if (t->status == EXIT_DONE || t->changed)
        printf("%s: %zu message%s\n", verb, t->changed, t->changed == 1 ? "" : "s");
}

#define SOME "ID…|ALL|-|FILTER"

static const command verbs[] = {
    { "list", "[FILTER] [--sort age|size|tries|next] [--reverse] [--limit N] [--count [--by FIELD]] [--json]",
      "messages, the oldest first", queue_list },
    { "show", "ID…|PATH… [--json]", "envelope, recipients and times of a message", queue_show },
    { "cat", "ID…|PATH…", "the message itself", queue_cat },
    { "shape", "[FILTER] [--by FIELD] [--limit N] [--json]", "how much waits for what, by age", queue_shape },
    { "hold", SOME " [--json]", "keep from delivery until it is released", queue_change_verb },
    { "release", SOME " [--json]", "deliver what is on hold after all", queue_change_verb },
    { "delete", SOME " [--yes] [--json]", "remove without a report to anybody", queue_change_verb },
    { "flush", "[" SOME "|--site SITE] [--json]", "try deferred messages now", queue_change_verb },
    { "requeue", SOME " [--json]", "begin again: recipients looked up anew, no try made yet", queue_requeue },
    { "reroute", "--to TRANSPORT:NEXTHOP [--dry-run] [--yes] " SOME " [--json]", "send what waits another way",
      queue_reroute },
    { "check", "[--repair] [--json]", "verify every file; repair, quarantine", queue_check },
    { "export", "FILE|- [ID…|ALL|FILTER] [--json]", "whole messages with their state into one file", queue_export },
    { "import", "FILE [--requeue] [--dry-run] [--yes] [--json]", "put what was exported into this queue",
      queue_import },
};

int command_queue(invocation *in)
{
    in->argc--;
    in->argv++;
    return command_run(verbs, COUNT_OF(verbs), "postrider queue", in);
}
