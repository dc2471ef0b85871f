/* postrider queue reroute: recipients that wait go another way. Runs in: postrider. */
#include "ctl/common/text.h"
#include "ctl/queue/rewrite.h"
#include <ctype.h>
#include <jansson.h>
#include <stdio.h>

typedef struct rerouting {
    queue_filter filter;
    bool is_json, is_sure, is_dry;
    const char *to;
    str transport, nexthop;
    queue_ids ids; /* of messages that it changes */
    size_t recipients;
} rerouting;

static bool is_user(str nexthop)
{
    for (size_t i = 0; i < nexthop.n; i++)
        if (!isgraph((unsigned char)nexthop.p[i]))
            return false;
    return nexthop.n > 0 && nexthop.n <= 255;
}

/* "5.1.1 text": what may pass is looked up again at each try, so a route that says so would not stay. */
static bool is_refusal(str nexthop)
{
    str status, rest = nexthop;
    bool is_status = str_word(&rest, " ", &status) && status.n >= 5 && status.n <= 7 && str_starts(status, STR("5."));
    for (size_t i = 0; is_status && i < status.n; i++)
        is_status = isdigit((unsigned char)status.p[i]) || status.p[i] == '.';
    for (size_t i = 0; is_status && i < nexthop.n; i++)
        is_status = !iscntrl((unsigned char)nexthop.p[i]);
    return is_status && str_trim(rest).n > 0 && nexthop.n <= 500;
}

/* The transports that qmgr knows: another would be an error for good to it. */
static const struct transport_row {
    str name;
    bool (*is_right)(str nexthop);
    const char *expected;
} transports[] = { { STR_ROW("local"), is_user, "local:USER" }, { STR_ROW("error"), is_refusal, "error:5.1.1 TEXT" } };

static fault route_read(rerouting *w)
{
    str rest = str_c(w->to);
    if (w->to == NULL)
        return fault_make(FAULT_REFUSED, "5.4", "say where: --to TRANSPORT:NEXTHOP");
    str_cut(&rest, ':', &w->transport);
    w->nexthop = rest;
    for (size_t i = 0; i < COUNT_OF(transports); i++) {
        if (!str_equal(w->transport, transports[i].name))
            continue;
        return transports[i].is_right(w->nexthop)
                   ? NO_FAULT
                   : fault_make(FAULT_REFUSED, "5.4", "--to %.80s: %s is expected", w->to, transports[i].expected);
    }
    return fault_make(FAULT_REFUSED, "5.4", "--to %.80s: local:USER or error:5.1.1 TEXT is expected", w->to);
}

static bool is_meant(const rerouting *w, const envelope_recipient *r, const queue_slot *s)
{
    bool is_there = str_equal(r->transport, w->transport) && str_equal(r->nexthop, w->nexthop);
    return slot_is_open(s) && !is_there && filter_fits_recipient(&w->filter, r, s);
}

static json_t *route_json(str transport, str nexthop)
{
    return json_pack("{s:o, s:o}", "transport", queue_json_text(transport), "nexthop", queue_json_text(nexthop));
}

static void change_print(const rerouting *w, const queue_entry *e, const envelope_recipient *r)
{
    arena a = arena_new(0);
    if (w->is_json) {
        queue_json_line(json_pack("{s:s, s:o, s:o, s:o}", "id", queue_id_text(e->id).text, "recipient",
                                  queue_json_text(r->address), "from", route_json(r->transport, r->nexthop), "to",
                                  route_json(w->transport, w->nexthop)));
    } else {
        text_print(stdout, arena_printf(&a, "%s <%.*s> %.*s:%.*s -> %s", queue_id_text(e->id).text, STR_ARG(r->address),
                                        STR_ARG(r->transport), STR_ARG(r->nexthop), w->to));
        putchar('\n');
    }
    arena_free(&a);
}

static void entry_look(void *context, const queue_entry *e)
{
    rerouting *w = context;
    const queue_message *m = &e->file;
    size_t before = w->recipients;
    for (uint32_t i = 0; i < m->head.recipient_count; i++) {
        if (!is_meant(w, &m->recipients[i], &m->slots[i]))
            continue;
        w->recipients++;
        if (w->is_dry)
            change_print(w, e, &m->recipients[i]);
    }
    if (w->recipients > before)
        *vec_add(&w->ids) = e->id;
}

/* No try was made on the new way; a hold by policy is over, or a message that is not on hold would be again. */
static bool route_change(void *context, queue_message *m, arena *a)
{
    rerouting *w = context;
    bool is_changed = false;
    (void)a;
    for (uint32_t i = 0; i < m->head.recipient_count; i++) {
        if (!is_meant(w, &m->recipients[i], &m->slots[i]))
            continue;
        m->recipients[i].transport = w->transport;
        m->recipients[i].nexthop = w->nexthop;
        is_changed = true;
    }
    m->schedule = (queue_schedule){ 0 };
    m->envelope.flags &= ~(uint32_t)ENVELOPE_HOLD;
    return is_changed;
}

static fault chosen_reroute(queue_view *v, rerouting *w, tally *t)
{
    selection s;
    fault f = selection_take(&s, v, t->in, &w->filter, false);
    if (s.wrong)
        t->status = EX_DATAERR;
    if (!is_fault(f))
        f = queue_view_files(v, s.ids.p, s.ids.n, entry_look, w, NULL);
    selection_free(&s);
    if (is_fault(f) || w->is_dry || w->ids.n == 0 ||
        !confirm(t->in, w->is_sure, &t->status, "send %zu recipient%s of %zu message%s to %s", w->recipients,
                 w->recipients == 1 ? "" : "s", w->ids.n, w->ids.n == 1 ? "" : "s", w->to))
        return f;
    f = rewrite_all(v, &w->ids, route_change, w, t);
    return is_fault(f) ? f : queue_sync(v->config);
}

static void result_print(const rerouting *w, const tally *t)
{
    if (!w->is_dry)
        tally_print(t, "reroute", w->is_json);
    else if (!w->is_json)
        printf("reroute: %zu recipient%s of %zu message%s would go to %s\n", w->recipients,
               w->recipients == 1 ? "" : "s", w->ids.n, w->ids.n == 1 ? "" : "s", w->to);
}

int queue_reroute(invocation *in)
{
    rerouting w = { .is_dry = false };
    const option_row rows[] = { FILTER_OPTIONS(w.filter),
                                { "json", 'j', &w.is_json, NULL },
                                { "yes", 'y', &w.is_sure, NULL },
                                { "dry-run", 0, &w.is_dry, NULL },
                                { "to", 0, NULL, &w.to } };
    tally t = { .in = in };
    queue_view v;
    if (!options_take(in, rows, COUNT_OF(rows), 0, 1000000))
        return EX_USAGE;
    int status = queue_fault(in, route_read(&w));
    if (status)
        return status;
    if (queue_begin(in, &w.filter, false, w.is_dry ? VIEW_LOOK : VIEW_CHANGE, &v, &status))
        status = queue_fault(in, chosen_reroute(&v, &w, &t));
    queue_view_close(&v);
    if (status == EXIT_DONE && (t.status == EXIT_DONE || t.changed))
        result_print(&w, &t);
    vec_free(&w.ids);
    return status ? status : t.status;
}
