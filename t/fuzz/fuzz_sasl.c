/* SOURCES:  NEEDS: proto */
#include "proto/sasl.h"
#include <stdlib.h>

/* Lines of an exchange; the first octet chooses mechanism and whether the first line is an initial response. */
static void exchange(str in)
{
    sasl s;
    str rest = str_from(in, 1), line = STR_NONE;
    sasl_mechanism m = in.p[0] & 1 ? SASL_LOGIN : SASL_PLAIN;

    if (in.p[0] & 2)
        str_cut(&rest, '\n', &line);
    sasl_step step = sasl_start(&s, m, line);
    while (step == SASL_CHALLENGE && str_cut(&rest, '\n', &line))
        step = sasl_respond(&s, line);
    if (step == SASL_FINISHED &&
        (!sasl_name_is_valid(s.credentials.user) || !sasl_password_is_valid(s.credentials.password.hidden)))
        abort();
    sasl_close(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    str in = { (const char *)data, n };
    sasl_plain plain;

    sasl_plain_parse(in, &plain);
    if (n)
        exchange(in);
    return 0;
}
