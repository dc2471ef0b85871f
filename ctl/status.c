/* postrider status: what master and every process say of themselves, and what the kernel says of each. Runs in: postrider. */
#include "base/num.h"
#include "ctl/commands.h"
#include "ctl/common/ask.h"
#include "ctl/common/text.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

/* A row of master's answer: "process=smtpd pid=12 state=up …" in order. */
typedef struct pair {
    str name, value;
} pair;

typedef struct process_row {
    VEC(pair) pairs;
} process_row;

typedef struct listing_state {
    arena arena;
    VEC(process_row) rows;
} listing_state;

static void on_row(void *context, str row, int *fds, size_t fd_count)
{
    listing_state *l = context;
    process_row out = { 0 };
    str rest = arena_copy(&l->arena, row), word;
    (void)fds, (void)fd_count;
    while (str_word(&rest, " ", &word)) {
        size_t equals = str_find(word, '=');
        *vec_add(&out.pairs) = (pair){ str_upto(word, equals), str_from(word, equals + 1) };
    }
    *vec_add(&l->rows) = out;
}

static str value_of(const process_row *r, const char *name)
{
    for (size_t i = 0; i < r->pairs.n; i++)
        if (str_equal(r->pairs.p[i].name, str_c(name)))
            return r->pairs.p[i].value;
    return STR_NONE;
}

static uint64_t number_of(const process_row *r, const char *name)
{
    uint64_t n = 0;
    num_parse(value_of(r, name), 0, UINT64_MAX, &n);
    return n;
}

/* What the columns show already is left out of the details. */
static bool is_column(str name)
{
    static const char *const columns[] = { "process",  "instance", "pid",        "state",
                                           "restarts", "sessions", "generation", "up_s" };
    for (size_t i = 0; i < COUNT_OF(columns); i++)
        if (str_equal(name, str_c(columns[i])))
            return true;
    return false;
}

static void row_print(const process_row *r)
{
    bool is_up = value_of(r, "up_s").n > 0;
    printf("%-12.*s %7.*s %-9.*s %8s %8" PRIu64 " %8" PRIu64 " ", STR_ARG(value_of(r, "process")),
           STR_ARG(value_of(r, "pid")), STR_ARG(value_of(r, "state")),
           is_up ? text_duration(number_of(r, "up_s")).text : "-", number_of(r, "restarts"), number_of(r, "sessions"));
    for (size_t i = 0; i < r->pairs.n; i++)
        if (!is_column(r->pairs.p[i].name)) {
            putchar(' ');
            text_print(stdout, r->pairs.p[i].name);
            putchar('=');
            text_print(stdout, r->pairs.p[i].value);
        }
    putchar('\n');
}

typedef struct summary {
    uint64_t processes, up, restarts, sessions, messages, active, generation;
} summary;

static summary summary_make(const listing_state *l)
{
    summary s = { .processes = l->rows.n };
    for (size_t i = 0; i < l->rows.n; i++) {
        const process_row *r = &l->rows.p[i];
        s.up += str_equal(value_of(r, "state"), STR("up"));
        s.restarts += number_of(r, "restarts");
        if (number_of(r, "generation") > s.generation)
            s.generation = number_of(r, "generation");
        if (str_equal(value_of(r, "process"), STR("qmgr"))) {
            s.messages += number_of(r, "messages");
            s.active += number_of(r, "active");
        } else {
            s.sessions += number_of(r, "sessions");
        }
    }
    return s;
}

static void table_print(const listing_state *l)
{
    summary s = summary_make(l);
    printf("%-12s %7s %-9s %8s %8s %8s  DETAILS\n", "PROCESS", "PID", "STATE", "UP", "RESTARTS", "SESSIONS");
    for (size_t i = 0; i < l->rows.n; i++)
        row_print(&l->rows.p[i]);
    printf("\nrunning: %" PRIu64 " of %" PRIu64 " processes up, %" PRIu64 " restarts, configuration %" PRIu64
           "; %" PRIu64 " messages in the queue, %" PRIu64 " active\n",
           s.up, s.processes, s.restarts, s.generation, s.messages, s.active);
}

static json_t *value_json(str v)
{
    uint64_t n;
    bool is_padded = v.n > 1 && v.p[0] == '0';
    if (!is_padded && num_parse(v, 0, INT64_MAX, &n))
        return json_integer((json_int_t)n);
    json_t *text = json_stringn(v.p ? v.p : "", v.n);
    return text ? text : json_string("?"); /* not UTF-8 */
}

static json_t *row_json(const process_row *r)
{
    json_t *out = json_object();
    for (size_t i = 0; i < r->pairs.n; i++)
        json_object_setn_new(out, r->pairs.p[i].name.p, r->pairs.p[i].name.n, value_json(r->pairs.p[i].value));
    return out;
}

static void json_print(const listing_state *l, bool is_running)
{
    summary s = summary_make(l);
    json_t *processes = json_array();
    for (size_t i = 0; i < l->rows.n; i++)
        json_array_append_new(processes, row_json(&l->rows.p[i]));
    json_t *out = json_pack("{s:b, s:I, s:I, s:I, s:o}", "running", is_running, "generation", (json_int_t)s.generation,
                            "messages", (json_int_t)s.messages, "active", (json_int_t)s.active, "processes", processes);
    json_dumpf(out, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(out);
}

static void state_free(listing_state *l)
{
    for (size_t i = 0; i < l->rows.n; i++)
        vec_free(&l->rows.p[i].pairs);
    vec_free(&l->rows);
    arena_free(&l->arena);
}

static int answer_show(const invocation *in, const ask_answer *a, const listing_state *l, bool is_json)
{
    if (!a->is_running && is_json)
        json_print(l, false);
    else if (!a->is_running)
        puts("not running");
    if (!a->is_running)
        return EXIT_NOT_RUNNING;
    if (is_fault(a->fault))
        return command_fault(in, a->fault);
    if (is_json)
        json_print(l, true);
    else
        table_print(l);
    return EXIT_DONE;
}

int command_status(invocation *in)
{
    bool wants_sandbox = false, is_json = false;
    const option_row rows[] = { { "sandbox", 's', &wants_sandbox, NULL }, { "json", 'j', &is_json, NULL } };
    if (!options_take(in, rows, COUNT_OF(rows), 0, 0))
        return EX_USAGE;
    const config *c = command_config(in, false);
    if (c == NULL)
        return EX_CONFIG;
    listing_state l = { 0 };
    ask_answer a = ask(c, "ctl", STR("status"), wants_sandbox ? STR("sandbox") : STR_NONE, on_row, &l);
    int status = answer_show(in, &a, &l, is_json);
    state_free(&l);
    return status;
}
