/* Messages of the queue for a program: one object on a line. Runs in: postrider. */
#include "ctl/queue/queue.h"
#include <jansson.h>

/* Octets that are no UTF-8 become '?', so that the line is always JSON. */
json_t *queue_json_text(str s)
{
    json_t *out = json_stringn(s.p ? s.p : "", s.n);
    if (out)
        return out;
    arena a = arena_new(0);
    str copy = arena_copy(&a, s);
    for (size_t i = 0; i < copy.n; i++)
        if ((unsigned char)copy.p[i] >= 0x80)
            ((char *)(uintptr_t)copy.p)[i] = '?';
    out = json_stringn(copy.p, copy.n);
    arena_free(&a);
    return out;
}

static json_t *recipient_json(const envelope_recipient *r, const queue_slot *s)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:s, s:s, s:o, s:I}", "address", queue_json_text(r->address), "original",
                     queue_json_text(r->original), "transport", queue_json_text(r->transport), "nexthop",
                     queue_json_text(r->nexthop), "state", slot_state_text(s->state), "status", s->status, "reason",
                     queue_json_text(str_c(s->reason)), "when_s", (json_int_t)s->when_s);
}

static json_t *entry_json(const queue_entry *e)
{
    const queue_message *m = &e->file;
    const envelope *v = &m->envelope;
    json_t *recipients = json_array();
    for (uint32_t i = 0; i < m->head.recipient_count; i++)
        json_array_append_new(recipients, recipient_json(&m->recipients[i], &m->slots[i]));
    return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:o}", "id",
                     queue_id_text(e->id).text, "place", queue_place_name(e->place), "arrived_us",
                     (json_int_t)m->head.arrived_us, "bytes", (json_int_t)m->head.content_bytes, "tries",
                     (json_int_t)m->schedule.tries, "next_try_s", (json_int_t)e->next_try_s, "sender",
                     queue_json_text(v->reverse_path), "session", queue_json_text(v->session), "client_name",
                     queue_json_text(v->client_name), "client_address", queue_json_text(v->client_address), "helo",
                     queue_json_text(v->helo), "protocol", queue_json_text(v->protocol), "login",
                     queue_json_text(v->login), "flags", (int)v->flags, "recipients", recipients);
}

void queue_json_line(json_t *takes)
{
    json_dumpf(takes, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(takes);
}

void queue_json_print(const queue_entry *e)
{
    queue_json_line(is_fault(e->fault)
                        ? json_pack("{s:s, s:s, s:o}", "id", queue_id_text(e->id).text, "place",
                                    queue_place_name(e->place), "damaged", queue_json_text(str_c(e->fault.text)))
                        : entry_json(e));
}
