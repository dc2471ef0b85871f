/* postrider explain: the same decisions as the server's, by the same function, with every step. Runs in: postrider. */
#include "ctl/commands.h"
#include "ctl/rules.h"
#include "policy/engine/rewrite.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct explaining {
    const policy_rules *rules;
    policy_facts facts;
    arena arena;
    bool is_json;
    str rewrites; /* an address; p NULL: a session is explained */
    json_t *stages;
} explaining;

typedef struct stage_row {
    enum policy_stage stage;
    const char *name;
} stage_row;

static const stage_row stages[] = { { POLICY_STAGE_CONNECT, "connect" },
                                    { POLICY_STAGE_HELO, "helo" },
                                    { POLICY_STAGE_MAIL, "mail" },
                                    { POLICY_STAGE_RCPT, "rcpt" } };

static json_t *text_json(str s)
{
    json_t *out = json_stringn(s.p ? s.p : "", s.n);
    return out ? out : json_string("?");
}

static json_t *step_json(const policy_step *s)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:i, s:o}", "list", text_json(s->list), "restriction",
                     text_json(s->restriction), "table", text_json(s->table), "key", text_json(s->key), "line",
                     (int)s->line, "result", text_json(s->result));
}

static json_t *verdict_json(const char *stage, const policy_verdict *v)
{
    json_t *steps = json_array(), *goes = json_array();
    for (size_t i = 0; i < v->step_count; i++)
        json_array_append_new(steps, step_json(&v->steps[i]));
    for (size_t i = 0; i < v->route_count; i++)
        json_array_append_new(goes,
                              json_pack("{s:o, s:o, s:o, s:o}", "address", text_json(v->routes[i].address), "transport",
                                        text_json(v->routes[i].transport), "nexthop", text_json(v->routes[i].nexthop), "sender",
                                        text_json(v->routes[i].sender)));
    return json_pack("{s:s, s:i, s:o, s:o, s:o, s:b, s:b, s:o, s:o}", "stage", stage, "code", (int)v->code, "status",
                     text_json(v->status), "reply", text_json(v->reply), "reason", text_json(v->reason), "hold",
                     (v->flags & POLICY_HOLD) != 0, "discard", (v->flags & POLICY_DISCARD) != 0, "steps", steps,
                     "routes", goes);
}

static void verdict_print(const char *stage, const policy_verdict *v, arena *a)
{
    str steps = policy_explain(v, a);
    printf("%s\n", stage);
    while (steps.n) {
        str line;
        str_cut(&steps, '\n', &line);
        printf("  %.*s\n", STR_ARG(line));
    }
    printf("  = %u", v->code);
    if (v->status.n)
        printf(" %.*s", STR_ARG(v->status));
    printf(" %.*s%s%s\n", STR_ARG(v->reply), v->flags & POLICY_HOLD ? " (hold)" : "",
           v->flags & POLICY_DISCARD ? " (discard)" : "");
    for (size_t i = 0; i < v->route_count; i++)
        printf("  -> %.*s by %.*s %.*s%s%.*s%s\n", STR_ARG(v->routes[i].address), STR_ARG(v->routes[i].transport),
               STR_ARG(v->routes[i].nexthop), v->routes[i].sender.n ? ", from <" : "", STR_ARG(v->routes[i].sender),
               v->routes[i].sender.n ? ">" : "");
}

/* As a session would ask, stage by stage, until one is refused. Returns the last verdict's code. */
static unsigned stages_run(explaining *e)
{
    policy_verdict v = { .code = 250 };
    for (size_t i = 0; i < COUNT_OF(stages) && v.code < 400; i++) {
        e->facts.stage = stages[i].stage;
        if ((e->facts.stage == POLICY_STAGE_HELO && e->facts.helo.n == 0) ||
            (e->facts.stage == POLICY_STAGE_MAIL && !e->facts.has_sender) ||
            (e->facts.stage == POLICY_STAGE_RCPT && e->facts.recipient.n == 0))
            continue;
        policy_decide(e->rules, &e->facts, &e->arena, &v);
        if (e->is_json)
            json_array_append_new(e->stages, verdict_json(stages[i].name, &v));
        else
            verdict_print(stages[i].name, &v, &e->arena);
    }
    return v.code;
}

static str without_brackets(const char *path)
{
    str s = str_c(path);
    return s.n >= 2 && s.p[0] == '<' && s.p[s.n - 1] == '>' ? (str){ s.p + 1, s.n - 2 } : s;
}

/* ADDRESS, or NAME[ADDRESS] for a client whose name was verified. */
static void client_set(policy_facts *f, const char *client)
{
    str s = str_c(client ? client : "127.0.0.1");
    size_t bracket = str_find(s, '[');
    f->client_name = STR("unknown");
    f->client_address = s;
    if (bracket < s.n && s.p[s.n - 1] == ']') {
        f->client_name = bracket ? str_upto(s, bracket) : f->client_name;
        f->client_address = (str){ s.p + bracket + 1, s.n - bracket - 2 };
    }
}

static const struct {
    enum policy_rewrite_line class;
    const char *name;
} address_classes[] = {
    { REWRITE_ENVELOPE_SENDER, "envelope_sender" },
    { REWRITE_ENVELOPE_RECIPIENT, "envelope_recipient" },
    { REWRITE_HEADER_SENDER, "header_sender" },
    { REWRITE_HEADER_RECIPIENT, "header_recipient" },
};

static json_t *rewritten_json(const char *class, const rewritten *r)
{
    json_t *steps = json_array();
    for (size_t i = 0; i < r->step_count; i++)
        json_array_append_new(steps, step_json(&r->steps[i]));
    return json_pack("{s:s, s:o, s:o, s:s, s:o}", "class", class, "address", text_json(r->address), "bcc", text_json(r->bcc),
                     "fault", r->fault.text, "steps", steps);
}

static void rewritten_print(const char *class, const rewritten *r, arena *a)
{
    const policy_verdict v = { .steps = r->steps, .step_count = r->step_count };
    str steps = policy_explain(&v, a), line;
    printf("%s\n", class);
    for (; steps.n; printf("  %.*s\n", STR_ARG(line)))
        str_cut(&steps, '\n', &line);
    if (is_fault(r->fault))
        printf("  = deferred: %s\n", r->fault.text);
    else
        printf("  = %.*s\n", STR_ARG(r->address));
    if (r->bcc.n)
        printf("  + blind copy to %.*s\n", STR_ARG(r->bcc));
}

/* What an address becomes in each place where it may stand. */
static int rewrite_explain(explaining *e, str path)
{
    json_t *all = json_array();
    bool is_right = true;
    for (size_t i = 0; i < COUNT_OF(address_classes); i++) {
        rewritten r;
        policy_rewrite_address(e->rules, address_classes[i].class, false, path, &e->arena, &r);
        is_right = is_right && !is_fault(r.fault);
        if (e->is_json)
            json_array_append_new(all, rewritten_json(address_classes[i].name, &r));
        else
            rewritten_print(address_classes[i].name, &r, &e->arena);
    }
    if (e->is_json) {
        json_dumpf(all, stdout, JSON_COMPACT);
        putchar('\n');
    }
    json_decref(all);
    return is_right ? EXIT_DONE : EXIT_FAILED;
}

static int explain(invocation *in, rules_view *view, explaining *e, const char *of)
{
    e->rules = rules_find(view, str_c(of));
    if (e->rules == NULL)
        return command_fault(in, fault_make(FAULT_REFUSED, "3.5", "there is no smtpd service %s in master.cf", of));
    if (e->rewrites.p)
        return rewrite_explain(e, e->rewrites);
    e->stages = json_array();
    unsigned code = stages_run(e);
    if (e->is_json) {
        json_t *out = json_pack("{s:b, s:i, s:O}", "accepted", code < 400, "code", (int)code, "stages", e->stages);
        json_dumpf(out, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(out);
    }
    json_decref(e->stages);
    return code < 400 ? EXIT_DONE : EXIT_FAILED;
}

int command_explain(invocation *in)
{
    explaining e = { 0 };
    const char *client = NULL, *helo = NULL, *sender = NULL, *rcpt = NULL, *login = NULL, *of = NULL, *tls = NULL,
               *rewrite = NULL;
    const option_row rows[] = {
        { "client", 'c', NULL, &client }, { "helo", 'h', NULL, &helo },      { "sender", 's', NULL, &sender },
        { "rcpt", 'r', NULL, &rcpt },     { "login", 'l', NULL, &login },    { "service", 0, NULL, &of },
        { "tls", 0, NULL, &tls },         { "json", 'j', &e.is_json, NULL },
        { "rewrite", 0, NULL, &rewrite },
    };
    if (!options_take(in, rows, COUNT_OF(rows), 0, 0))
        return EX_USAGE;
    if (!client && !helo && !sender && !rcpt && !rewrite)
        return command_usage(in);
    client_set(&e.facts, client);
    e.facts.helo = str_c(helo ? helo : "localhost");
    e.facts.has_sender = sender || rcpt;
    e.facts.sender = sender ? without_brackets(sender) : STR("");
    e.facts.recipient = rcpt ? without_brackets(rcpt) : STR("");
    e.rewrites = rewrite ? without_brackets(rewrite) : STR_NONE;
    e.facts.login = str_c(login ? login : "");
    e.facts.tls = str_c(tls ? tls : "");
    rules_view view;
    if (command_config(in, true) == NULL)
        return EX_CONFIG;
    problems *ps = &in->parsed.problems;
    size_t before = ps->rows.n;
    bool is_right = rules_open(&view, &in->parsed, ps);
    if (ps->rows.n > before) {
        str words = problems_text(ps, &in->parsed.arena);
        fwrite(words.p, 1, words.n, stderr);
    }
    int status = is_right ? explain(in, &view, &e, of ? of : "") : EX_CONFIG;
    rules_close(&view);
    arena_free(&e.arena);
    return status;
}
