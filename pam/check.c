#include "pam/check.h"
#include "base/memory.h"
#include <security/pam_appl.h>
#include <stdlib.h>

enum { NAME_MAX_BYTES = 320, PASSWORD_MAX = 1024 };

typedef struct question { /* as C strings, which PAM wants */
    char user[NAME_MAX_BYTES + 1], password[PASSWORD_MAX + 1];
} question;

static void answers_free(struct pam_response *answers, int n)
{
    for (int i = 0; i < n; i++)
        if (answers[i].resp) {
            secret_wipe(answers[i].resp, strlen(answers[i].resp));
            free(answers[i].resp);
        }
    free(answers);
}

/* Every prompt without echo is for the password; another one nobody can answer. PAM frees the answers. */
static int converse(int n, const struct pam_message **messages, struct pam_response **out, void *context)
{
    const question *q = context;
    if (n <= 0 || n > PAM_MAX_NUM_MSG)
        return PAM_CONV_ERR;
    struct pam_response *answers = memory_get((size_t)n * sizeof *answers);
    for (int i = 0; i < n; i++) {
        int style = messages[i]->msg_style;
        if (style == PAM_PROMPT_ECHO_OFF) {
            answers[i].resp = memory_get(strlen(q->password) + 1);
            memcpy(answers[i].resp, q->password, strlen(q->password));
        } else if (style != PAM_TEXT_INFO && style != PAM_ERROR_MSG) {
            answers_free(answers, n);
            return PAM_CONV_ERR;
        }
    }
    *out = answers;
    return PAM_SUCCESS;
}

static void no_delay(int result, unsigned us, void *context)
{
    (void)result, (void)us, (void)context;
}

static fault fault_of(pam_handle_t *h, int result, const char *step)
{
    switch (result) {
    case PAM_SUCCESS:
        return NO_FAULT;
    case PAM_AUTHINFO_UNAVAIL: case PAM_SYSTEM_ERR: case PAM_BUF_ERR: case PAM_SERVICE_ERR: case PAM_ABORT:
    case PAM_OPEN_ERR: case PAM_SYMBOL_ERR: case PAM_MODULE_UNKNOWN: case PAM_CONV_ERR:
        return fault_make(FAULT_TRY_LATER, "7.0", "%s: %s", step, pam_strerror(h, result));
    default:
        return fault_make(FAULT_REFUSED, "7.8", "%s: %s", step, pam_strerror(h, result));
    }
}

static fault ask(pam_handle_t *h)
{
    const int flags = PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK;
    union { void (*function)(int, unsigned, void *); const void *item; } delay = { no_delay };
    pam_set_item(h, PAM_FAIL_DELAY, delay.item);
    int result = pam_authenticate(h, flags);
    if (result != PAM_SUCCESS)
        return fault_of(h, result, "password");
    return fault_of(h, pam_acct_mgmt(h, flags), "account");
}

static bool copy_text(str from, char *out, size_t max)
{
    if (from.n == 0 || from.n > max || str_has(from, 0))
        return false;
    memcpy(out, from.p, from.n);
    out[from.n] = 0;
    return true;
}

fault pam_check(const char *folder, const char *service, str user, secret password)
{
    question *q = memory_get(sizeof *q);
    const struct pam_conv conversation = { converse, q };
    pam_handle_t *h = NULL;
    fault f = fault_make(FAULT_REFUSED, "7.8", "a name or password that nobody can have");
    if (copy_text(user, q->user, NAME_MAX_BYTES) && copy_text(password.hidden, q->password, PASSWORD_MAX)) {
        int result = folder ? pam_start_confdir(service, q->user, &conversation, folder, &h)
                            : pam_start(service, q->user, &conversation, &h);
        f = result == PAM_SUCCESS ? ask(h) : fault_make(FAULT_TRY_LATER, "7.0", "PAM cannot be started");
        if (result == PAM_SUCCESS)
            pam_end(h, is_fault(f) ? PAM_AUTH_ERR : PAM_SUCCESS);
    }
    secret_wipe(q, sizeof *q);
    free(q);
    return f;
}
