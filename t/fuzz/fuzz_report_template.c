/* SOURCES:  NEEDS: mail */
/* Whatever the file is, the set that comes out is usable: header values are single lines, texts end in CRLF lines. */
#include "mail/report_template.h"
#include <stdlib.h>

static bool find(void *context, str name, buf *out)
{
    (void)context;
    return name.n % 2 && buf_append(out, name);
}

static void value_check(str value)
{
    if (value.n == 0)
        abort();
    for (size_t i = 0; i < value.n; i++)
        if (value.p[i] < ' ' || value.p[i] == 0x7f)
            abort();
}

static void template_check(const report_template *t)
{
    buf out = buf_new(1 << 20);
    str unknown;
    value_check(t->charset);
    value_check(t->from);
    value_check(t->subject);
    if (!report_text_append(&out, t->text, find, NULL, &unknown))
        abort();
    for (size_t i = 0; i < out.n; i++)
        if ((out.p[i] == '\n') != (i > 0 && out.p[i - 1] == '\r') || out.p[i] == '\0')
            abort();
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    report_templates t;
    unsigned line;
    report_templates_read((str){ (const char *)data, n }, &t, &line);
    for (size_t i = 0; i < REPORT_KINDS; i++)
        template_check(&t.of[i]);
    report_templates_free(&t);
    return 0;
}
