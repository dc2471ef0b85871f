/* SOURCES: pipe/worker/words.c pipe/worker/outcome.c pipe/worker/environment.c NEEDS: ipc */
#include "pipe/worker/environment.h"
#include "pipe/worker/outcome.h"
#include "pipe/worker/words.h"
#include <assert.h>

/* The first byte is an exit status; the rest is a command, what it says, and what a stranger chose. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void outcome_ask(int code, str text)
{
    buf reason = buf_new(64 * 1024);
    command_end end = { .wait_status = code << 8, .command = text, .output = text };
    fault f = outcome_read(&end, &reason);

    assert(is_fault(f) == (code != 0));
    for (size_t i = 0; i < reason.n; i++)
        assert(reason.p[i] >= ' ' && (unsigned char)reason.p[i] < 0x7f);
    buf_free(&reason);
}

static void environment_ask(str text, arena *a)
{
    static const str filter = STR_ROW("abcdefghijklmnopqrstuvwxyz@.-");
    program_rules rules = { .filter = filter, .delimiters = STR("+-"), .account = STR("joe"), .shell = STR("/bin/sh") };
    deliver_request m = { .reverse_path = text, .recipient = text, .original = text, .helo = text, .client_name = text };
    char **all = environment_make(&m, &rules, STR("/"), a);

    for (size_t i = 0; all[i]; i++) {
        const char *value = strchr(all[i], '=');
        assert(value);
        for (value++; *value && i >= 5; value++)
            assert(*value == '_' || str_has(filter, *value));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena a = arena_new(0);

    if (size == 0 || size > 4096)
        return 0;
    str text = { (const char *)data + 1, size - 1 };
    command_words w = words_read(text, &a);
    assert(w.path && w.argv[0]);
    outcome_ask(data[0], text);
    environment_ask(text, &a);
    arena_free(&a);
    return 0;
}
