/* SOURCES:  NEEDS: store */
/* File names, mailbox names and LIST patterns: what is read is written back the same, and nothing leaves the folder. */
#include "store/list_pattern.h"
#include "store/mailbox_name.h"
#include "store/maildir_name.h"
#include "store/wire.h"
#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void file_name(str in)
{
    maildir_name a, b;
    buf out = buf_new(2 * MAILDIR_NAME_MAX);

    if (!maildir_name_read(in, &a))
        return;
    assert(a.base.n > 0 && a.base.n <= in.n && !str_has(a.base, '/'));
    maildir_name_write(a.base, a.letters, a.flags, a.keywords, &out);
    if (out.n <= MAILDIR_NAME_MAX) {
        assert(maildir_name_read(buf_str(&out), &b));
        assert(a.flags == b.flags && a.keywords == b.keywords && str_equal(a.base, b.base));
    }
    buf_free(&out);
}

static void mailbox(str in)
{
    buf folder = buf_new(8 * 1024), name = buf_new(8 * 1024), again = buf_new(8 * 1024);

    if (mailbox_name_to_folder(in, &folder) && folder.n) {
        assert(folder.p[0] == '.' && folder.n <= 255 && folder.n > 1 && folder.p[1] != '.');
        assert(!str_has(buf_str(&folder), '/') && !str_has(buf_str(&folder), '\0'));
        assert(mailbox_name_from_folder(buf_str(&folder), &name));
        assert(mailbox_name_to_folder(buf_str(&name), &again) && str_equal(buf_str(&again), buf_str(&folder)));
    }
    if (mailbox_name_from_folder(in, &name))
        assert(mailbox_name_to_folder(buf_str(&name), &again) && str_equal(buf_str(&again), in));
    buf_free(&folder);
    buf_free(&name);
    buf_free(&again);
}

static void lines(str in)
{
    wire w = { 0 }, r = { 0 }, c = { 0 };
    buf stored = buf_new(4 * in.n + 8), back = buf_new(8 * in.n + 8);
    size_t half = in.n / 2;

    assert(wire_to_stored(&w, str_upto(in, half), &stored) && wire_to_stored(&w, str_from(in, half), &stored));
    assert(wire_to_stored_end(&w, &stored));
    assert(wire_to_wire(&r, buf_str(&stored), &back));
    wire_count(&c, buf_str(&stored));
    assert(w.wire_bytes == back.n && c.wire_bytes == back.n);
    buf_free(&stored);
    buf_free(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str in = { (const char *)data, size };
    size_t half = str_find(in, '\n');

    file_name(in);
    mailbox(in);
    lines(in);
    list_pattern *p = list_pattern_new(str_upto(in, half), '/');
    (void)list_pattern_matches(p, str_from(in, half + 1));
    list_pattern_free(p);
    return 0;
}
