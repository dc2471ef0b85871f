/* SOURCES:  NEEDS: db */
#include "db/source.h"
#include "db/users.h"
#include "mail/alias_list.h"
#include <assert.h>

/* The first byte chooses the format; user files are read from the same bytes. */
static void check_source(str text, source_format format, arena *mem)
{
    problems ps = { .arena = mem };
    source_list list;
    str member;

    source_read(STR("file"), text, format, mem, &list, &ps);
    for (size_t i = 0; i < list.rows.n; i++) {
        const source_entry *e = &list.rows.p[i];
        assert(e->key.n && e->value.n && e->line);
        assert(e->key.p[e->key.n] == '\0' || !str_has(e->key, '\0'));
        size_t members = 0;
        for (str rest = e->value; alias_next(&rest, mem, &member); members++)
            assert(member.p);
        assert(members <= e->value.n);
    }
    source_free(&list);
    problems_free(&ps);
}

static void check_users(str text, arena *mem)
{
    problems ps = { .arena = mem };
    users us;

    users_read(STR("users"), text, &us, &ps);
    for (size_t i = 0; i < us.rows.n; i++) {
        assert(user_name_is_valid(us.rows.p[i]->name));
        assert(users_find(&us, us.rows.p[i]->name) == us.rows.p[i]);
    }
    users_free(&us);
    problems_free(&ps);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena mem = arena_new(0);
    str text = { (const char *)data, size };

    if (size) {
        check_source(str_from(text, 1), text.p[0] & 1 ? SOURCE_ALIASES : SOURCE_TABLE, &mem);
        check_users(str_from(text, 1), &mem);
    }
    arena_free(&mem);
    return 0;
}
