/* SOURCES:  NEEDS: db */
#include "db/table_type.h"
#include <assert.h>
#include <sys/mman.h>
#include <unistd.h>

/* A rule file, and keys to ask it for: the addresses and words that stand in it. The first byte chooses cidr or pcre. */
static void ask(const table_type *type, void *state, str text, arena *mem)
{
    static const str keys[] = { STR_ROW("192.0.2.1"), STR_ROW("2001:db8::1"), STR_ROW("::ffff:10.0.0.1"),
                                STR_ROW("a@b.example") };
    table_answer a = { 0 };
    str word;

    for (size_t i = 0; i < COUNT_OF(keys); i++)
        if (type->find(state, keys[i], mem, &a) == TABLE_FOUND)
            assert(a.line > 0);
    for (size_t i = 0; i < 20 && str_word(&text, " \t\r\n/!", &word); i++)
        if (!str_has(word, '\0') && type->find(state, word, mem, &a) == TABLE_FAILED)
            assert(a.fault.kind == FAULT_TRY_LATER);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const table_context context = { 0 };
    static int fd = -1;
    static char path[40];
    arena mem = arena_new(0);
    void *state = NULL;

    if (size == 0 || size > 4096)
        return 0;
    if (fd < 0) {
        fd = memfd_create("rules", 0);
        str p = arena_printf(&mem, "/proc/self/fd/%d", fd);
        memcpy(path, p.p, p.n + 1);
    }
    const table_type *type = table_type_find(data[0] & 1 ? STR("pcre") : STR("cidr"));
    if (ftruncate(fd, 0) == 0 && pwrite(fd, data + 1, size - 1, 0) == (ssize_t)size - 1) {
        table_origin from = { STR("type:name"), STR("name"), path, &context };
        fault f = type->open(&from, &state);
        assert(is_fault(f) == (state == NULL));
        if (state) {
            ask(type, state, (str){ (const char *)data + 1, size - 1 }, &mem);
            type->close(state);
        }
    }
    arena_free(&mem);
    return 0;
}
