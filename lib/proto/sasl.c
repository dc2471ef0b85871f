#include "proto/sasl.h"
#include "base/base64.h"
#include "mail/address.h"

enum { MESSAGE_MAX = 2 * SASL_NAME_MAX + SASL_PASSWORD_MAX + 2 };

bool sasl_name_is_valid(str name)
{
    for (size_t i = 0; i < name.n; i++)
        if ((unsigned char)name.p[i] < ' ' || name.p[i] == 127)
            return false;
    return name.n > 0 && name.n <= SASL_NAME_MAX && utf8_is_valid(name);
}

bool sasl_password_is_valid(str password)
{
    return password.n > 0 && password.n <= SASL_PASSWORD_MAX && !str_has(password, '\0');
}

parse sasl_plain_parse(str message, sasl_plain *out)
{
    size_t first = str_find(message, '\0');
    str behind = str_from(message, first + 1);
    size_t second = str_find(behind, '\0');

    *out = (sasl_plain){ str_upto(message, first), str_upto(behind, second), { str_from(behind, second + 1) } };
    if (first == message.n || second == behind.n || !sasl_name_is_valid(out->user) ||
        !sasl_password_is_valid(out->password.hidden) || !utf8_is_valid(out->password.hidden))
        return PARSE_BAD;
    return out->authorization.n == 0 || sasl_name_is_valid(out->authorization) ? PARSE_DONE : PARSE_BAD;
}

sasl_mechanism sasl_mechanism_find(str name)
{
    return str_equal_nocase(name, STR("PLAIN"))   ? SASL_PLAIN
           : str_equal_nocase(name, STR("LOGIN")) ? SASL_LOGIN
                                                  : SASL_NONE;
}

/* All the memory at once: a buf that grows would leave copies of a password behind. */
static bool message_decode(str line, buf *out)
{
    *out = buf_new(MESSAGE_MAX);
    return line.n <= MESSAGE_MAX / 3 * 4 + 8 && buf_reserve(out, MESSAGE_MAX) && base64_decode(line, out);
}

static void message_forget(buf *b)
{
    if (b->p)
        secret_wipe(b->p, b->capacity);
    buf_free(b);
}

static sasl_step challenge(sasl *s, str text)
{
    s->challenge = text;
    s->step++;
    return SASL_CHALLENGE;
}

static sasl_step plain_message(sasl *s, str line)
{
    if (!message_decode(line, &s->first))
        return SASL_BROKEN;
    return sasl_plain_parse(buf_str(&s->first), &s->credentials) == PARSE_DONE ? SASL_FINISHED : SASL_BROKEN;
}

static sasl_step login_name(sasl *s, str line)
{
    if (!message_decode(line, &s->first) || !sasl_name_is_valid(buf_str(&s->first)))
        return SASL_BROKEN;
    return challenge(s, STR("UGFzc3dvcmQ6")); /* "Password:" */
}

static sasl_step login_password(sasl *s, str line)
{
    if (!message_decode(line, &s->second) || !sasl_password_is_valid(buf_str(&s->second)))
        return SASL_BROKEN;
    s->credentials = (sasl_plain){ STR(""), buf_str(&s->first), { buf_str(&s->second) } };
    return SASL_FINISHED;
}

/* What a line means, by mechanism and by how many challenges were sent; the first row is the initial response. */
static sasl_step (*const steps[][3])(sasl *, str) = {
    [SASL_PLAIN] = { plain_message, plain_message, NULL },
    [SASL_LOGIN] = { login_name, login_name, login_password },
};

static sasl_step line_take(sasl *s, str line)
{
    unsigned at = s->step;

    if (s->mechanism == SASL_NONE || at >= COUNT_OF(steps[0]) || steps[s->mechanism][at] == NULL)
        return SASL_BROKEN;
    if (at == 0)
        s->step = 1; /* as if the challenge had been sent */
    sasl_step next = steps[s->mechanism][at](s, line);
    if (next != SASL_CHALLENGE)
        s->step = COUNT_OF(steps[0]); /* nothing more is taken */
    return next;
}

sasl_step sasl_start(sasl *s, sasl_mechanism mechanism, str initial)
{
    *s = (sasl){ .mechanism = mechanism };
    if (mechanism == SASL_NONE)
        return SASL_BROKEN;
    if (initial.p == NULL)
        return challenge(s, mechanism == SASL_LOGIN ? STR("VXNlcm5hbWU6") : STR("")); /* "Username:" */
    return line_take(s, str_equal(initial, STR("=")) ? STR("") : initial);
}

sasl_step sasl_respond(sasl *s, str line)
{
    return str_equal(line, STR("*")) ? SASL_CANCELLED : line_take(s, line);
}

void sasl_close(sasl *s)
{
    message_forget(&s->first);
    message_forget(&s->second);
    *s = (sasl){ 0 };
}
