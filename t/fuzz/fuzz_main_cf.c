/* SOURCES:  NEEDS: conf */
/* A main.cf of any bytes: read, checked, listed, edited. */
#include "conf/edit.h"
#include "conf/listing.h"
#include <stdlib.h>

static const char master_cf[] =
    "smtp inet n - - - - smtpd -o smtpd_timeout=$minimal_backoff_time\nmeter unix - - - - - meter\n"
    "policy unix - - - - - policy\ncleanup unix - - - - - cleanup\n"
    "qmgr unix - - - - - qmgr\nlocal unix - - - - - local\n";

/* Setting a value anew makes the file right in that name; a second time changes nothing. */
static void edit(str text)
{
    buf once = buf_new(8 << 20), twice = buf_new(8 << 20);
    if (!is_fault(config_edit(text, STR("soft_bounce"), STR("yes"), &once))) {
        if (is_fault(config_edit(buf_str(&once), STR("soft_bounce"), STR("yes"), &twice)) ||
            !str_equal(buf_str(&once), buf_str(&twice)))
            abort();
    }
    buf_free(&once);
    buf_free(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    parsed p;
    arena a = arena_new(0);
    buf out = buf_new(32 << 20);
    str text = { (const char *)data, size };

    bool is_right = config_parse(STR("/e"), STR("h.example.com"), text, STR(master_cf), &p);
    if (is_right != (p.problems.error_count == 0))
        abort();
    problems_text(&p.problems, &a);
    config_list(&p, LIST_EXPANDED, NULL, 0, &out);
    parsed_free(&p);
    edit(text);
    buf_free(&out);
    arena_free(&a);
    return 0;
}
