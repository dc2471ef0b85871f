/* Messages of the queue for a person. Runs in: postrider. */
#include "ctl/common/text.h"
#include "ctl/queue/queue.h"
#include <inttypes.h>
#include <time.h>

uint64_t queue_age_s(const queue_entry *e, uint64_t now_s)
{
    uint64_t arrived = e->file.head.arrived_us / 1000000;
    return now_s > arrived ? now_s - arrived : 0;
}

static void address_print(str address)
{
    putchar('<');
    text_print(stdout, address);
    putchar('>');
}

static void next_print(const queue_entry *e, uint64_t now_s)
{
    if (e->place != QUEUE_DEFERRED)
        return;
    if (e->next_try_s > now_s)
        printf(", next try in %s", text_duration(e->next_try_s - now_s).text);
    else
        printf(", next try now");
}

static void recipient_print(const envelope_recipient *r, const queue_slot *s, const char *indent)
{
    printf("%s", indent);
    address_print(r->address);
    printf(" %s", slot_state_text(s->state));
    if (s->status[0] || s->reason[0])
        printf(": %.*s ", (int)sizeof s->status, s->status);
    text_print(stdout, str_c(s->reason));
    putchar('\n');
}

void queue_line_print(const queue_entry *e, uint64_t now_s)
{
    const queue_message *m = &e->file;
    printf("%s %-8s", queue_id_text(e->id).text, queue_place_name(e->place));
    if (is_fault(e->fault)) {
        printf(" %s\n", e->fault.text);
        return;
    }
    printf(" %6s %6s ", text_duration(queue_age_s(e, now_s)).text, text_bytes(m->head.content_bytes).text);
    address_print(m->envelope.reverse_path);
    next_print(e, now_s);
    putchar('\n');
    for (uint32_t i = 0; i < m->head.recipient_count; i++)
        if (m->slots[i].state != SLOT_DELIVERED)
            recipient_print(&m->recipients[i], &m->slots[i], "            ");
}

static void field_print(const char *name, str value)
{
    if (value.n == 0)
        return;
    printf("%-15s ", name);
    text_print(stdout, value);
    putchar('\n');
}

static void time_print(const char *name, uint64_t when_s)
{
    time_t t = (time_t)when_s;
    struct tm tm;
    char text[64];
    if (when_s && localtime_r(&t, &tm) && strftime(text, sizeof text, "%F %T %z", &tm))
        printf("%-15s %s\n", name, text);
}

static void flags_print(uint32_t flags)
{
    static const struct flag {
        uint32_t bit;
        const char *name;
    } rows[] = {
        { ENVELOPE_8BIT, "8bit" },           { ENVELOPE_UTF8, "utf8" },         { ENVELOPE_HOLD, "hold" },
        { ENVELOPE_SUBMITTED, "submitted" }, { ENVELOPE_NO_TRACE, "no-trace" }, { ENVELOPE_DIRECT, "direct" }
    };
    if (flags == 0)
        return;
    printf("%-15s", "flags");
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (flags & rows[i].bit)
            printf(" %s", rows[i].name);
    putchar('\n');
}

static void one_recipient_print(const envelope_recipient *r, const queue_slot *s)
{
    recipient_print(r, s, "recipient       ");
    field_print("  original", str_equal(r->original, r->address) ? STR_NONE : r->original);
    if (r->transport.n) {
        printf("%-15s ", "  route");
        text_print(stdout, r->transport);
        putchar(' ');
        text_print(stdout, r->nexthop);
        putchar('\n');
    }
    field_print("  orcpt", r->orcpt);
    time_print("  tried", s->when_s);
}

void queue_entry_print(const queue_entry *e, uint64_t now_s)
{
    const queue_message *m = &e->file;
    printf("%-15s %s\n%-15s %s\n", "id", queue_id_text(e->id).text, "place", queue_place_name(e->place));
    if (is_fault(e->fault)) {
        field_print("damaged", str_c(e->fault.text));
        return;
    }
    time_print("arrived", m->head.arrived_us / 1000000);
    printf("%-15s %s\n%-15s %" PRIu64 "\n", "age", text_duration(queue_age_s(e, now_s)).text, "bytes",
           m->head.content_bytes);
    printf("%-15s <", "sender");
    text_print(stdout, m->envelope.reverse_path);
    puts(">");
    field_print("session", m->envelope.session);
    field_print("client", m->envelope.client_name);
    field_print("address", m->envelope.client_address);
    field_print("helo", m->envelope.helo);
    field_print("protocol", m->envelope.protocol);
    field_print("tls", m->envelope.tls);
    field_print("login", m->envelope.login);
    field_print("envelope-id", m->envelope.envelope_id);
    field_print("returns", m->envelope.returns);
    flags_print(m->envelope.flags);
    printf("%-15s %u\n", "tries", m->schedule.tries);
    time_print("next try", e->next_try_s);
    for (uint32_t i = 0; i < m->head.recipient_count; i++)
        one_recipient_print(&m->recipients[i], &m->slots[i]);
}
