/* SOURCES:  NEEDS: conf */
/* A master.cf of any bytes; a right one must survive its own snapshot. */
#include "conf/snapshot.h"
#include <stdlib.h>

static void round_trip(const parsed *p)
{
    buf bytes = buf_new(SNAPSHOT_MAX);
    snapshot s;

    if (snapshot_encode(p, 1, &bytes)) {
        if (snapshot_decode(buf_str(&bytes), &s) != PARSE_DONE || s.service_count != p->services.rows.n)
            abort();
        snapshot_free(&s);
    }
    buf_free(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    parsed p;

    if (config_parse(STR("/e"), STR("h.example.com"), STR("own = x\nsmtpd_tls_cert_file = /c\nmail_name = $own\n"),
                     (str){ (const char *)data, size }, &p))
        round_trip(&p);
    parsed_free(&p);
    return 0;
}
