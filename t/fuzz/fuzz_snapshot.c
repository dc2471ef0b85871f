/* SOURCES:  NEEDS: conf */
/* Bytes in place of a snapshot, or changes of a right one (three bytes each: where, what): refused, or decoded without a
 * read outside them. The right one is of this build, so that the seeds stay useful when parameters come and go. */
#include "conf/snapshot.h"
#include <stdlib.h>

static void right_one(buf *out)
{
    parsed p;
    if (!config_parse(STR("/e"), STR("h.example.com"), STR("own = x\n"),
                      STR("meter unix - - - - 0 meter\nauth unix - - - 300? 5 auth -o own=y -o mail_name=$own\n"),
                      &p) ||
        !snapshot_encode(&p, 1, out))
        abort();
    parsed_free(&p);
}

static void decode(str bytes)
{
    snapshot s;
    if (snapshot_decode(bytes, &s) != PARSE_DONE)
        return;
    for (size_t i = 0; i < s.service_count; i++)
        if (snapshot_service_find(&s, s.services[i].key) == NULL)
            abort();
    snapshot_free(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static buf right; /* made once */
    buf changed = buf_new(SNAPSHOT_MAX);

    if (right.n == 0) {
        right = buf_new(SNAPSHOT_MAX);
        right_one(&right);
    }
    buf_append(&changed, buf_str(&right));
    for (size_t i = 0; i + 3 <= size; i += 3)
        changed.p[(data[i] | (size_t)data[i + 1] << 8) % changed.n] = (char)data[i + 2];
    decode(buf_str(&changed));
    decode((str){ (const char *)data, size });
    buf_free(&changed);
    return 0;
}
