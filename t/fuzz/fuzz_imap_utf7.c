/* SOURCES:  NEEDS: proto */
#include "mail/address.h"
#include "proto/imap_utf7.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    str in = { (const char *)data, n };
    buf a = buf_new(n * 8 + 64), b = buf_new(n * 8 + 64);

    if (imap_utf7_decode(in, &a)) {
        if (!utf8_is_valid(buf_str(&a)) || str_has(buf_str(&a), '\0') || a.n > n * 2)
            abort();
        if (!imap_utf7_encode(buf_str(&a), &b) || !str_equal(buf_str(&b), in))
            abort();
    }
    buf_clear(&a);
    buf_clear(&b);
    if (imap_utf7_encode(in, &a) && (!imap_utf7_decode(buf_str(&a), &b) || !str_equal(buf_str(&b), in)))
        abort();
    buf_free(&a);
    buf_free(&b);
    return 0;
}
