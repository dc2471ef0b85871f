/* ESMTP parameters of MAIL FROM and RCPT TO: SIZE (RFC 1870), BODY (RFC 6152, 3030), SMTPUTF8 (RFC 6531), AUTH (RFC
 * 4954), RET, ENVID, NOTIFY, ORCPT (RFC 3461), XVERP (Postfix's VERP_README). Runs in: smtpd, sendmail -bs. Decoded
 * values live in the caller's arena; others are views.
 * Fails: PARSE_BAD; is_unknown tells 555 (not recognised, not offered) from 501 (malformed, doubled). Whole values
 * only. */
#pragma once
#include "base/arena.h"
#include "base/parse.h"

typedef enum smtp_param { /* also bits of what a service offers */
                          SMTP_PARAM_SIZE = 1 << 0,
                          SMTP_PARAM_BODY = 1 << 1,
                          SMTP_PARAM_SMTPUTF8 = 1 << 2,
                          SMTP_PARAM_AUTH = 1 << 3,
                          SMTP_PARAM_RET = 1 << 4,
                          SMTP_PARAM_ENVID = 1 << 5,
                          SMTP_PARAM_NOTIFY = 1 << 6,
                          SMTP_PARAM_ORCPT = 1 << 7,
                          SMTP_PARAM_XVERP = 1 << 9,
                          SMTP_PARAM_BINARYMIME = 1 << 8, /* not a parameter: BODY=BINARYMIME is offered too */
} smtp_param;

#define SMTP_PARAMS_DSN (SMTP_PARAM_RET | SMTP_PARAM_ENVID | SMTP_PARAM_NOTIFY | SMTP_PARAM_ORCPT)

typedef enum smtp_body { SMTP_BODY_7BIT, SMTP_BODY_8BITMIME, SMTP_BODY_BINARYMIME } smtp_body;
typedef enum smtp_ret { SMTP_RET_NONE, SMTP_RET_FULL, SMTP_RET_HDRS } smtp_ret;

enum smtp_notify { /* bits; none: no NOTIFY was given */
                   SMTP_NOTIFY_NEVER = 1 << 0,
                   SMTP_NOTIFY_SUCCESS = 1 << 1,
                   SMTP_NOTIFY_FAILURE = 1 << 2,
                   SMTP_NOTIFY_DELAY = 1 << 3,
};

typedef struct smtp_params {
    unsigned given;      /* smtp_param bits */
    uint64_t size_bytes; /* SIZE; 0: not told */
    smtp_body body;
    smtp_ret ret;
    unsigned notify; /* smtp_notify bits */
    str auth;        /* decoded; empty with SMTP_PARAM_AUTH given: "<>" */
    str envid;       /* decoded: printable ASCII */
    str verp;        /* the two delimiters of XVERP=xy; empty with SMTP_PARAM_XVERP given: the default ones */
    str orcpt_type;  /* "rfc822" */
    str orcpt;       /* decoded: printable ASCII; of type utf-8: as written (RFC 6533) */
    bool is_unknown; /* after PARSE_BAD */
    str problem;     /* after PARSE_BAD: the parameter's name as written; may hold any byte but NUL, CR, LF */
} smtp_params;

/* `params` is what follows the path; may be empty. `offered`: smtp_param bits; the rest is unknown. */
parse smtp_mail_params_parse(str params, unsigned offered, arena *mem, smtp_params *out);
parse smtp_rcpt_params_parse(str params, unsigned offered, arena *mem, smtp_params *out);
