#include "db/table_type.h"

const table_type table_types_known[] = {
    { STR_ROW("hash"), ".db", false, bdb_open_hash, bdb_find, bdb_close, bdb_list, bdb_build_hash },
    { STR_ROW("btree"), ".db", false, bdb_open_btree, bdb_find, bdb_close, bdb_list, bdb_build_btree },
    { STR_ROW("lmdb"), ".lmdb", false, lmdb_open, lmdb_find, lmdb_close, lmdb_list, lmdb_build },
    { STR_ROW("texthash"), "", false, texthash_open, text_find, text_close, text_list, NULL },
    { STR_ROW("inline"), NULL, false, inline_open, text_find, text_close, text_list, NULL },
    { STR_ROW("static"), NULL, false, static_open, static_find, text_close, NULL, NULL },
    { STR_ROW("cidr"), "", true, cidr_open, cidr_find, cidr_close, NULL, NULL },
    { STR_ROW("pcre"), "", true, pcre_open, pcre_find, pcre_close, pcre_list, NULL },
};

const size_t table_type_count = COUNT_OF(table_types_known);

const table_type *table_type_find(str name)
{
    for (size_t i = 0; i < table_type_count; i++)
        if (str_equal(table_types_known[i].name, name))
            return &table_types_known[i];
    return NULL;
}

str table_types(arena *mem)
{
    str all = STR("");

    for (size_t i = 0; i < table_type_count; i++)
        all = arena_printf(mem, "%.*s%s%.*s", STR_ARG(all), i ? ", " : "", STR_ARG(table_types_known[i].name));
    return all;
}

static fault type_unknown(str type, str spec)
{
    arena mem = arena_new(0);
    fault f = fault_make(FAULT_REFUSED, "3.5", "%.*s: no table type \"%.*s\"; there are %.*s",
                         STR_ARG(str_upto(spec, 80)), STR_ARG(str_upto(type, 40)), STR_ARG(table_types(&mem)));
    arena_free(&mem);
    return f;
}

fault table_spec_split(str spec, const table_context *context, const table_type **out_type, str *out_name)
{
    size_t colon = str_find(spec, ':');
    str type = str_upto(spec, colon);

    *out_name = str_from(spec, colon + 1);
    if (colon == spec.n || str_has(type, '/')) {
        type = context ? context->default_type : STR_NONE;
        *out_name = spec;
        if (type.n == 0)
            return fault_make(FAULT_REFUSED, "3.5", "%.*s: a table is named type:name", STR_ARG(str_upto(spec, 100)));
    }
    *out_type = table_type_find(type);
    return *out_type ? NO_FAULT : type_unknown(type, spec);
}
