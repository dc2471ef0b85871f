/* Messages of the queue for a program: one object on a line. Runs in: postrider. */
#include "ctl/queue.h"
#include <jansson.h>

/* Octets that are no UTF-8 become '?', so that the line is always JSON. */
static json_t *text_json(str s)
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
    return json_pack("{s:o, s:o, s:o, s:o, s:s, s:s, s:o, s:I}", "address", text_json(r->address), "original",
                     text_json(r->original), "transport", text_json(r->transport), "nexthop", text_json(r->nexthop),
                     "state", slot_state_text(s->state), "status", s->status, "reason", text_json(str_c(s->reason)),
                     "when_s", (json_int_t)s->when_s);
}

static json_t *entry_json(const queue_entry *e)
{
    const queue_message *m = &e->file;
    const envelope *v = &m->envelope;
    json_t *recipients = json_array();
    for (uint32_t i = 0; i < m->head.recipient_count; i++)
        json_array_append_new(recipients, recipient_json(&m->recipients[i], &m->slots[i]));
    return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:o}", "id", e->id.text,
                     "place", queue_place_name(e->place), "arrived_us", (json_int_t)m->head.arrived_us, "bytes",
                     (json_int_t)m->head.content_bytes, "tries", (json_int_t)m->schedule.tries, "next_try_s",
                     (json_int_t)e->next_try_s, "sender", text_json(v->reverse_path), "session", text_json(v->session),
                     "client_name", text_json(v->client_name), "client_address", text_json(v->client_address), "helo",
                     text_json(v->helo), "protocol", text_json(v->protocol), "login", text_json(v->login), "flags",
                     (int)v->flags, "recipients", recipients);
}

void queue_json_print(const queue_entry *e)
{
    json_t *out = is_fault(e->fault) ? json_pack("{s:s, s:s, s:o}", "id", e->id.text, "place",
                                                 queue_place_name(e->place), "damaged", text_json(str_c(e->fault.text)))
                                     : entry_json(e);
    json_dumpf(out, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(out);
}
