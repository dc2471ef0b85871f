#include "store/maildir_name.h"
#include "base/num.h"
#include "store/store.h"

typedef struct letter {
    char c;
    uint32_t flag;
} letter;

static const letter known[] = {
    /* in the order of a name: ASCII */
    { 'D', MESSAGE_DRAFT }, { 'F', MESSAGE_FLAGGED }, { 'R', MESSAGE_ANSWERED },
    { 'S', MESSAGE_SEEN },  { 'T', MESSAGE_DELETED },
};

static uint32_t letter_flag(char c)
{
    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (known[i].c == c)
            return known[i].flag;
    return 0;
}

static void letters_read(maildir_name *out)
{
    for (size_t i = 0; i < out->letters.n; i++) {
        char c = out->letters.p[i];
        out->flags |= letter_flag(c);
        if (c >= 'a' && c <= 'z')
            out->keywords |= 1u << (c - 'a');
    }
}

static uint32_t size_read(str field)
{
    uint64_t n;
    return num_parse(str_from(field, 2), 0, SIZE_UNKNOWN - 1, &n) ? (uint32_t)n : SIZE_UNKNOWN;
}

static void base_read(maildir_name *out)
{
    str rest = out->base, field;
    bool is_first = true;

    size_t dot = str_find(rest, '.');
    if (!num_parse(str_upto(rest, dot), 0, UINT64_MAX, &out->time_s))
        out->time_s = 0;
    out->is_ours = str_starts(str_from(rest, dot), STR(".prM"));
    while (str_cut(&rest, ',', &field)) {
        if (!is_first && str_starts(field, STR("S=")))
            out->stored_bytes = size_read(field);
        else if (!is_first && str_starts(field, STR("W=")))
            out->wire_bytes = size_read(field);
        is_first = false;
    }
}

bool maildir_name_read(str name, maildir_name *out)
{
    *out = (maildir_name){ .stored_bytes = SIZE_UNKNOWN, .wire_bytes = SIZE_UNKNOWN };
    if (name.n == 0 || name.n > MAILDIR_NAME_MAX || name.p[0] == '.' || str_has(name, '/') || str_has(name, '\0'))
        return false;
    size_t colon = str_find(name, ':');
    out->base = str_upto(name, colon);
    if (out->base.n == 0)
        return false;
    str info = str_from(name, colon);
    if (str_starts(info, STR(":2,")))
        out->letters = str_from(info, 3);
    letters_read(out);
    base_read(out);
    return true;
}

static bool is_wanted(char c, uint32_t flags, uint32_t keywords, str letters)
{
    uint32_t flag = letter_flag(c);
    if (flag)
        return flags & flag;
    if (c >= 'a' && c <= 'z')
        return keywords & 1u << (c - 'a');
    return str_has(letters, c);
}

void maildir_name_write(str base, str letters, uint32_t flags, uint32_t keywords, buf *out)
{
    buf_append(out, base);
    buf_append(out, STR(":2,"));
    for (char c = '!'; c <= '~'; c++)
        if (c != '/' && is_wanted(c, flags, keywords, letters))
            buf_append_char(out, c);
}

void maildir_name_new(uint64_t time_us, uint32_t pid, uint32_t counter, uint32_t random, str host, buf *out)
{
    buf_printf(out, "%llu.prM%06uP%uQ%uR%08x.", (unsigned long long)(time_us / 1000000), (unsigned)(time_us % 1000000),
               pid, counter, random);
    if (host.n == 0)
        host = STR("localhost");
    for (size_t i = 0; i < host.n && i < 64; i++) {
        unsigned char c = (unsigned char)host.p[i];
        bool is_plain = c > ' ' && c < 127 && c != '/' && c != ':' && c != ',' && c != '\\';
        if (is_plain)
            buf_append_char(out, (char)c);
        else
            buf_printf(out, "\\%03o", c);
    }
}

void maildir_name_sizes(buf *base, uint64_t stored_bytes, uint64_t wire_bytes)
{
    buf_printf(base, ",S=%llu,W=%llu", (unsigned long long)stored_bytes, (unsigned long long)wire_bytes);
}
