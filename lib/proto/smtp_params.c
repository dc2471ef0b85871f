#include "proto/smtp_params.h"
#include "base/num.h"
#include "mail/address.h"
#include "proto/xtext.h"

enum {
    ENVID_MAX = 100, /* RFC 3461 4.4 */
    ORCPT_MAX = 500, /* RFC 3461 4.2 */
    AUTH_MAX = 500,  /* RFC 4954 5 */
};

typedef enum value_shape { VALUE_NONE, VALUE_NEEDED, VALUE_DELIMITERS } value_shape;
typedef enum verb { VERB_MAIL, VERB_RCPT } verb;

typedef struct row {
    str name;
    smtp_param param;
    verb verb;
    value_shape shape;
    bool (*parse)(str value, arena *mem, smtp_params *out);
} row;

/* Decodes xtext into the arena; false unless the bytes are printable ASCII or, with may_utf8, UTF-8. */
static bool xtext_read(str text, bool may_utf8, arena *mem, str *out)
{
    buf decoded = buf_new(text.n);
    bool good = xtext_decode(text, &decoded);

    for (size_t i = 0; good && i < decoded.n; i++) {
        unsigned char c = (unsigned char)decoded.p[i];
        good = c >= 32 && c != 127 && (may_utf8 || c < 128);
    }
    good = good && utf8_is_valid(buf_str(&decoded));
    if (good)
        *out = arena_copy(mem, buf_str(&decoded));
    buf_free(&decoded);
    return good;
}

static bool size_parse(str value, arena *mem, smtp_params *out)
{
    (void)mem;
    return value.n <= 20 && num_parse(value, 0, UINT64_MAX, &out->size_bytes); /* RFC 1870 3: 1*20DIGIT */
}

static bool body_parse(str value, arena *mem, smtp_params *out)
{
    static const str names[] = {
        [SMTP_BODY_7BIT] = STR_ROW("7BIT"),
        [SMTP_BODY_8BITMIME] = STR_ROW("8BITMIME"),
        [SMTP_BODY_BINARYMIME] = STR_ROW("BINARYMIME"),
    };

    (void)mem;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (str_equal_nocase(value, names[i])) {
            out->body = (smtp_body)i;
            return true;
        }
    return false;
}

static bool utf8_parse(str value, arena *mem, smtp_params *out)
{
    (void)value, (void)mem, (void)out;
    return true;
}

static bool auth_parse(str value, arena *mem, smtp_params *out)
{
    if (value.n > AUTH_MAX || !xtext_read(value, true, mem, &out->auth))
        return false;
    if (str_equal(out->auth, STR("<>")))
        out->auth = str_upto(out->auth, 0);
    return true;
}

static bool ret_parse(str value, arena *mem, smtp_params *out)
{
    (void)mem;
    out->ret = str_equal_nocase(value, STR("FULL"))   ? SMTP_RET_FULL
               : str_equal_nocase(value, STR("HDRS")) ? SMTP_RET_HDRS
                                                      : SMTP_RET_NONE;
    return out->ret != SMTP_RET_NONE;
}

static bool envid_parse(str value, arena *mem, smtp_params *out)
{
    return value.n <= ENVID_MAX && xtext_read(value, false, mem, &out->envid);
}

static bool verp_parse(str value, arena *mem, smtp_params *out)
{
    for (size_t i = 0; i < value.n; i++)
        if (value.p[i] <= ' ' || value.p[i] >= 0x7f)
            return false;
    out->verp = arena_copy(mem, value);
    return value.n == 2;
}

static unsigned notify_bit(str word)
{
    static const struct {
        str name;
        unsigned bit;
    } words[] = {
        { STR_ROW("NEVER"), SMTP_NOTIFY_NEVER },
        { STR_ROW("SUCCESS"), SMTP_NOTIFY_SUCCESS },
        { STR_ROW("FAILURE"), SMTP_NOTIFY_FAILURE },
        { STR_ROW("DELAY"), SMTP_NOTIFY_DELAY },
    };

    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (str_equal_nocase(word, words[i].name))
            return words[i].bit;
    return 0;
}

/* RFC 3461 4.1: NEVER stands alone. */
static bool notify_parse(str value, arena *mem, smtp_params *out)
{
    str rest = value, word;

    (void)mem;
    while (str_cut(&rest, ',', &word)) {
        unsigned bit = notify_bit(word);
        if (bit == 0 || (out->notify & bit))
            return false;
        out->notify |= bit;
    }
    return out->notify == SMTP_NOTIFY_NEVER || !(out->notify & SMTP_NOTIFY_NEVER);
}

static bool is_keyword(str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool is_alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_alnum && (c != '-' || i == 0))
            return false;
    }
    return s.n > 0;
}

/* "type;address". An address of type utf-8 has an encoding of its own (RFC 6533 3) and is kept as it was written. */
static bool orcpt_parse(str value, arena *mem, smtp_params *out)
{
    size_t semicolon = str_find(value, ';');
    str target = str_from(value, semicolon + 1);

    out->orcpt_type = str_upto(value, semicolon);
    if (value.n > ORCPT_MAX || target.n == 0 || !is_keyword(out->orcpt_type))
        return false;
    if (!str_equal_nocase(out->orcpt_type, STR("utf-8")))
        return xtext_read(target, false, mem, &out->orcpt);
    out->orcpt = target;
    return utf8_is_valid(target) && !str_has(target, '+');
}

static const row rows[] = {
    { STR_ROW("SIZE"), SMTP_PARAM_SIZE, VERB_MAIL, VALUE_NEEDED, size_parse },
    { STR_ROW("BODY"), SMTP_PARAM_BODY, VERB_MAIL, VALUE_NEEDED, body_parse },
    { STR_ROW("SMTPUTF8"), SMTP_PARAM_SMTPUTF8, VERB_MAIL, VALUE_NONE, utf8_parse },
    { STR_ROW("AUTH"), SMTP_PARAM_AUTH, VERB_MAIL, VALUE_NEEDED, auth_parse },
    { STR_ROW("RET"), SMTP_PARAM_RET, VERB_MAIL, VALUE_NEEDED, ret_parse },
    { STR_ROW("ENVID"), SMTP_PARAM_ENVID, VERB_MAIL, VALUE_NEEDED, envid_parse },
    { STR_ROW("XVERP"), SMTP_PARAM_XVERP, VERB_MAIL, VALUE_DELIMITERS, verp_parse },
    { STR_ROW("NOTIFY"), SMTP_PARAM_NOTIFY, VERB_RCPT, VALUE_NEEDED, notify_parse },
    { STR_ROW("ORCPT"), SMTP_PARAM_ORCPT, VERB_RCPT, VALUE_NEEDED, orcpt_parse },
};

static const row *row_find(str name, verb v, unsigned offered)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (rows[i].verb == v && (rows[i].param & offered) && str_equal_nocase(rows[i].name, name))
            return &rows[i];
    return NULL;
}

/* RFC 5321 4.1.2, RFC 6531 3.3: esmtp-value has no blank, control character or '='; AUTH's own is an xtext. */
static bool is_value(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 127 || s.p[i] == '=')
            return false;
    return s.n > 0;
}

static bool param_parse(str word, verb v, unsigned offered, arena *mem, smtp_params *out)
{
    size_t equals = str_find(word, '=');
    bool has_value = equals < word.n;
    str value = str_from(word, equals + 1);

    out->problem = str_upto(word, equals);
    const row *r = row_find(out->problem, v, offered);
    bool is_free = r && r->shape == VALUE_DELIMITERS; /* it has '=' for a value */
    if (!is_keyword(out->problem) || (has_value && !is_free && !is_value(value)))
        return false;
    if (r == NULL) {
        out->is_unknown = true;
        return false;
    }
    if ((out->given & r->param) || (!is_free && has_value != (r->shape == VALUE_NEEDED)))
        return false;
    out->given |= r->param;
    return (is_free && !has_value) || r->parse(value, mem, out);
}

static parse params_parse(str params, verb v, unsigned offered, arena *mem, smtp_params *out)
{
    str rest = params, word;

    *out = (smtp_params){ 0 };
    while (str_word(&rest, " ", &word))
        if (!param_parse(word, v, offered, mem, out))
            return PARSE_BAD;
    out->problem = STR_NONE;
    return PARSE_DONE;
}

parse smtp_mail_params_parse(str params, unsigned offered, arena *mem, smtp_params *out)
{
    if (params_parse(params, VERB_MAIL, offered, mem, out) != PARSE_DONE)
        return PARSE_BAD;
    if (out->body == SMTP_BODY_BINARYMIME && !(offered & SMTP_PARAM_BINARYMIME)) {
        out->problem = STR("BODY");
        return PARSE_BAD;
    }
    return PARSE_DONE;
}

parse smtp_rcpt_params_parse(str params, unsigned offered, arena *mem, smtp_params *out)
{
    return params_parse(params, VERB_RCPT, offered, mem, out);
}
