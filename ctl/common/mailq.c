#include "ctl/common/mailq.h"
#include "ctl/common/queue_view.h"
#include "ctl/common/text.h"
#include <inttypes.h>
#include <sysexits.h>
#include <time.h>

typedef struct totals {
    uint64_t bytes;
    size_t messages;
} totals;

enum { INDENT = 41 };

static char mark_of(queue_place p)
{
    return p == QUEUE_ACTIVE || p == QUEUE_INCOMING ? '*' : p == QUEUE_HOLD ? '!' : p == QUEUE_CORRUPT ? '?' : ' ';
}

static void recipients_print(const queue_message *m)
{
    for (uint32_t i = 0; i < m->head.recipient_count; i++) {
        const queue_slot *s = &m->slots[i];
        if (s->state == SLOT_DELIVERED)
            continue;
        if (s->reason[0]) {
            printf("%*s(", INDENT, "");
            text_print(stdout, str_c(s->reason));
            puts(")");
        }
        printf("%*s", INDENT, "");
        text_print(stdout, m->recipients[i].address);
        putchar('\n');
    }
}

static void entry_print(void *context, const queue_entry *e)
{
    totals *t = context;
    const queue_message *m = &e->file;
    time_t arrived = (time_t)(m->head.arrived_us / 1000000);
    struct tm tm;
    char when[32] = "";
    if (t->messages++ == 0)
        puts("-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------");
    if (localtime_r(&arrived, &tm))
        strftime(when, sizeof when, "%a %b %e %H:%M:%S", &tm);
    printf("%s%c %8" PRIu64 " %-20s ", queue_id_text(e->id).text, mark_of(e->place), m->head.content_bytes, when);
    if (is_fault(e->fault))
        printf("(%s)", e->fault.text);
    else
        text_print(stdout, m->envelope.reverse_path.n ? m->envelope.reverse_path : STR("MAILER-DAEMON"));
    putchar('\n');
    recipients_print(m);
    putchar('\n');
    t->bytes += m->head.content_bytes;
}

static fault all_print(queue_view *v, totals *t)
{
    queue_rows rows;
    queue_ids ids = { 0 };
    fault f = queue_view_rows(v, &rows);
    for (size_t i = 0; i < rows.n; i++)
        *vec_add(&ids) = rows.p[i].id;
    if (!is_fault(f))
        f = queue_view_files(v, ids.p, ids.n, entry_print, t, NULL);
    vec_free(&rows);
    vec_free(&ids);
    return f;
}

int mailq_print(const config *c)
{
    totals t = { 0 };
    queue_view v;
    fault f = queue_view_open(&v, c, VIEW_LOOK);
    if (!is_fault(f))
        f = all_print(&v, &t);
    queue_view_close(&v);
    if (is_fault(f)) {
        fprintf(stderr, "mailq: %s\n", f.text);
        return f.kind == FAULT_TRY_LATER ? EX_TEMPFAIL : EX_NOPERM;
    }
    if (t.messages == 0)
        puts("Mail queue is empty");
    else
        printf("-- %" PRIu64 " Kbytes in %zu Request%s.\n", (t.bytes + 1023) / 1024, t.messages,
               t.messages == 1 ? "" : "s");
    return EX_OK;
}
