/* SOURCES:  NEEDS: mail */
#include "mail/date.h"
#include <stdlib.h>

static void check_back(bool (*append)(buf *, date), parse (*read)(str, date *), date d)
{
    buf out = buf_new(100);
    date back;

    if (!append(&out, d) || read(buf_str(&out), &back) != PARSE_DONE || back.utc_s != d.utc_s)
        abort();
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    str in = { (const char *)data, n };
    date d;
    int64_t day;

    if (date_parse(in, &d) == PARSE_DONE)
        check_back(date_append, date_parse, d);
    if (date_parse_internal(in, &d) == PARSE_DONE)
        check_back(date_append_internal, date_parse_internal, d);
    if (date_parse_day(in, &day) == PARSE_DONE && (day < -719162 || day > 2932896))
        abort();
    return 0;
}
