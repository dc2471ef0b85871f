/* Every message of every conversation: it survives the trip; any other length is refused; lying lengths never lead outside of
 * the frame; a frame too small is an error. */
#include "ipc/talk/admin.h"
#include "ipc/talk/auth.h"
#include "ipc/talk/cleanup.h"
#include "ipc/talk/control.h"
#include "ipc/talk/deliver.h"
#include "ipc/talk/meter.h"
#include "ipc/talk/policy.h"
#include "ipc/talk/queue.h"
#include "ipc/talk/report.h"
#include "ipc/talk/session.h"
#include "ipc/talk/worker.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

/* Values that differ from field to field. */
static unsigned serial;
static char texts[64][16];

static str next_text(void)
{
    char *p = texts[serial % 64];
    int n = snprintf(p, sizeof texts[0], "text-%u", serial++);
    return (str){ p, (size_t)n };
}

static ipc_u32 fill_u32(void)
{
    return 0x01020304u * ++serial;
}
static ipc_u64 fill_u64(void)
{
    return 0x0102030405060708u * ++serial;
}
static ipc_text fill_text(void)
{
    return next_text();
}
static ipc_secret fill_secret(void)
{
    return (ipc_secret){ next_text() };
}

static bool same_u32(ipc_u32 a, ipc_u32 b)
{
    return a == b;
}
static bool same_u64(ipc_u64 a, ipc_u64 b)
{
    return a == b;
}
static bool same_text(ipc_text a, ipc_text b)
{
    return str_equal(a, b);
}
static bool same_secret(ipc_secret a, ipc_secret b)
{
    return str_equal(a.hidden, b.hidden);
}

static const unsigned char *edge; /* of the frame that is decoded */

static bool inside_text(ipc_text s)
{
    return s.n == 0 || (const unsigned char *)s.p + s.n <= edge;
}
static bool inside_u32(ipc_u32 v)
{
    return (void)v, true;
}
static bool inside_u64(ipc_u64 v)
{
    return (void)v, true;
}
static bool inside_secret(ipc_secret s)
{
    return inside_text(s.hidden);
}

#define FILL(type, name) m->name = fill_##type();
#define SAME(type, name) &&same_##type(a->name, b->name)
#define INSIDE(type, name) &&inside_##type(m->name)

/* A message behind calls that do not know its type. */
typedef struct kind {
    const char *name;
    size_t bytes;
    void (*fill)(void *m);
    bool (*same)(const void *a, const void *b);
    bool (*inside)(const void *m);
    bool (*encode)(const void *m, frame *f);
    parse (*decode)(str bytes, void *out);
} kind;

#define KIND(message, FIELDS)                                \
    static void message##_fill(void *to)                     \
    {                                                        \
        message *m = to;                                     \
        FIELDS(FILL)                                         \
    }                                                        \
    static bool message##_same(const void *x, const void *y) \
    {                                                        \
        const message *a = x, *b = y;                        \
        return true FIELDS(SAME);                            \
    }                                                        \
    static bool message##_inside(const void *x)              \
    {                                                        \
        const message *m = x;                                \
        return true FIELDS(INSIDE);                          \
    }                                                        \
    static bool message##_put(const void *m, frame *f)       \
    {                                                        \
        return message##_encode(m, f);                       \
    }                                                        \
    static parse message##_get(str bytes, void *out)         \
    {                                                        \
        return message##_decode(bytes, out);                 \
    }
#define ROW(message, FIELDS) \
    { #message, sizeof(message), message##_fill, message##_same, message##_inside, message##_put, message##_get },

#define MESSAGES(X)                                                                                                   \
    X(admin_ask, ADMIN_ASK_FIELDS)                                                                                    \
    X(admin_row, ADMIN_ROW_FIELDS)                                                                                    \
    X(admin_end, ADMIN_END_FIELDS)                                                                                    \
    X(auth_login, AUTH_LOGIN_FIELDS) X(auth_answer, AUTH_ANSWER_FIELDS) X(auth_find, AUTH_FIND_FIELDS)                \
        X(auth_user, AUTH_USER_FIELDS) X(auth_changed, AUTH_CHANGED_FIELDS) X(auth_grant, AUTH_GRANT_FIELDS)          \
            X(auth_check, AUTH_CHECK_FIELDS) X(auth_checked, AUTH_CHECKED_FIELDS) X(envelope, ENVELOPE)               \
                X(envelope_recipient, ENVELOPE_RECIPIENT) X(cleanup_begin, CLEANUP_BEGIN_FIELDS)                      \
                    X(cleanup_ready, CLEANUP_READY_FIELDS) X(cleanup_commit, CLEANUP_COMMIT_FIELDS)                   \
                        X(cleanup_done, CLEANUP_DONE_FIELDS) X(control_start, CONTROL_START_FIELDS)                   \
                            X(control_name, CONTROL_NAME_FIELDS) X(control_none, CONTROL_NONE_FIELDS)                 \
                                X(control_reload, CONTROL_RELOAD_FIELDS) X(control_report, CONTROL_REPORT_FIELDS) X(  \
                                    deliver_request, DELIVER_REQUEST_FIELDS) X(deliver_result, DELIVER_RESULT_FIELDS) \
                                    X(meter_event, METER_EVENT_FIELDS) X(meter_answer, METER_ANSWER_FIELDS)           \
                                        X(policy_ask, POLICY_ASK_FIELDS) X(policy_route, POLICY_ROUTE_FIELDS)         \
                                            X(policy_answer, POLICY_ANSWER_FIELDS) X(queue_take, QUEUE_TAKE_FIELDS)   \
                                                X(queue_file, QUEUE_FILE_FIELDS) X(queue_result, QUEUE_RESULT_FIELDS) \
                                                    X(cleanup_result, CLEANUP_RESULT_FIELDS) X(queue_outcome,         \
                                                                                               QUEUE_OUTCOME_FIELDS)  \
                                                        X(report_begin, REPORT_BEGIN_FIELDS) X(                       \
                                                            report_recipient, REPORT_RECIPIENT_FIELDS)                \
                                                            X(report_done, REPORT_DONE_FIELDS) X(session_open,        \
                                                                                                 SESSION_OPEN_FIELDS) \
                                                                X(session_refused, SESSION_REFUSED_FIELDS)            \
                                                                    X(session_sleep, SESSION_SLEEP_FIELDS)            \
                                                                        X(session_closed, SESSION_CLOSED_FIELDS)      \
                                                                            X(worker_start, WORKER_START_FIELDS)      \
                                                                                X(worker_ready, WORKER_READY_FIELDS)

MESSAGES(KIND)
static const kind kinds[] = { MESSAGES(ROW) };

typedef struct example {
    uint64_t given[64], got[64]; /* any message fits */
    unsigned char bytes[1024];
    frame f;
} example;

static void example_make(example *e, const kind *k)
{
    *e = (example){ .f = { e->bytes, 0, sizeof e->bytes, false } };
    assert_true(k->bytes <= sizeof e->given);
    k->fill(e->given);
    assert_true(k->encode(e->given, &e->f));
}

/* Bytes that end where the sanitizer watches. */
static parse decode_exact(const kind *k, const unsigned char *bytes, size_t n, void *out)
{
    unsigned char *copy = malloc(n ? n : 1);
    memcpy(copy, bytes, n);
    edge = copy + n;
    parse p = k->decode((str){ (char *)copy, n }, out);
    if (p == PARSE_DONE)
        assert_true(k->inside(out));
    free(copy);
    return p;
}

static void each_survives_the_trip(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        example e;
        example_make(&e, &kinds[i]);
        assert_int_equal(kinds[i].decode((str){ (char *)e.bytes, e.f.n }, e.got), PARSE_DONE);
        if (!kinds[i].same(e.given, e.got))
            fail_msg("%s changed on its way", kinds[i].name);
    }
}

static void any_other_length_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        example e;
        example_make(&e, &kinds[i]);
        for (size_t n = 0; n <= e.f.n + 40; n++)
            assert_int_equal(decode_exact(&kinds[i], e.bytes, n, e.got), n == e.f.n ? PARSE_DONE : PARSE_BAD);
    }
}

static void lying_bytes_never_lead_outside(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        example e;
        example_make(&e, &kinds[i]);
        for (size_t at = 0; at < e.f.n; at++)
            for (unsigned v = 0; v < 256; v += 3) {
                unsigned char was = e.bytes[at];
                e.bytes[at] = (unsigned char)v;
                decode_exact(&kinds[i], e.bytes, e.f.n, e.got);
                e.bytes[at] = was;
            }
    }
}

static void a_full_frame_is_an_error_not_an_overrun(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        example e;
        example_make(&e, &kinds[i]);
        for (size_t room = 0; room <= e.f.n; room++) {
            unsigned char *bytes = malloc(room ? room : 1);
            frame f = { bytes, 0, room, false };
            assert_int_equal(kinds[i].encode(e.given, &f), room == e.f.n);
            assert_true(f.n <= room);
            free(bytes);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_survives_the_trip),
        cmocka_unit_test(any_other_length_is_refused),
        cmocka_unit_test(lying_bytes_never_lead_outside),
        cmocka_unit_test(a_full_frame_is_an_error_not_an_overrun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
