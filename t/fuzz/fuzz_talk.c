/* SOURCES:  NEEDS: ipc */
/* The decoders of all messages between processes; the first byte says which. What decodes encodes to the same bytes. */
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
#include <stdlib.h>

#define MESSAGES(X)                                                                                                 \
    X(admin_ask)                                                                                                    \
    X(admin_row)                                                                                                    \
    X(admin_end) X(auth_login) X(auth_answer) X(auth_find) X(auth_user) X(auth_changed) X(auth_grant) X(auth_check) \
        X(auth_checked) X(envelope) X(envelope_recipient) X(cleanup_begin) X(cleanup_ready) X(cleanup_commit)       \
            X(cleanup_done) X(control_start) X(control_name) X(control_none) X(control_reload) X(control_report)    \
                X(deliver_request) X(deliver_result) X(meter_event) X(meter_answer) X(policy_ask) X(policy_route)   \
                    X(policy_answer) X(queue_take) X(queue_file) X(queue_result) X(session_open) X(session_refused) \
                        X(session_sleep) X(session_closed) X(worker_start) X(worker_ready) X(report_begin)          \
                            X(report_recipient) X(report_done) X(cleanup_result) X(queue_outcome)

#define TRY(message)                                                                                     \
    static void message##_try(str bytes, frame *f)                                                       \
    {                                                                                                    \
        message m;                                                                                       \
        if (message##_decode(bytes, &m) == PARSE_DONE &&                                                 \
            (!message##_encode(&m, f) || f->n != bytes.n || (f->n && memcmp(f->p, bytes.p, f->n) != 0))) \
            abort();                                                                                     \
    }
#define ROW(message) message##_try,

MESSAGES(TRY)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const tries[])(str bytes, frame * f) = { MESSAGES(ROW) };
    if (size == 0)
        return 0;
    unsigned char *again = malloc(size);
    frame f = { again, 0, size - 1, false };
    tries[data[0] % COUNT_OF(tries)]((str){ (const char *)data + 1, size - 1 }, &f);
    free(again);
    return 0;
}
