#include "base/num.h"
#include "os/file.h"
#include "store/internal.h"

#define KEYWORDS_FILE "dovecot-keywords"

enum { KEYWORD_BYTES_MAX = 128, NAMES_BYTES_MAX = KEYWORDS_MAX * (KEYWORD_BYTES_MAX + 1) };

static bool is_keyword(str name)
{
    for (size_t i = 0; i < name.n; i++)
        if ((unsigned char)name.p[i] <= ' ' || name.p[i] == 0x7f)
            return false;
    return name.n > 0 && name.n <= KEYWORD_BYTES_MAX;
}

/* Lines "<number> <name>"; numbers that are left out are bits without a name. */
void keywords_read_file(int dirfd, buf *names_out)
{
    str found[KEYWORDS_MAX] = { { 0 } }, line;
    unsigned n = 0;
    buf text = buf_new(1 << 16);

    if (!is_fault(file_read(dirfd, KEYWORDS_FILE, &text)))
        for (str rest = buf_str(&text); str_cut(&rest, '\n', &line);) {
            uint64_t bit;
            size_t space = str_find(line, ' ');
            str name = str_from(line, space + 1);
            if (!num_parse(str_upto(line, space), 0, KEYWORDS_MAX - 1, &bit) || !is_keyword(name))
                continue;
            found[bit] = name;
            n = n > bit ? n : (unsigned)bit + 1;
        }
    for (unsigned i = 0; i < n; i++) {
        buf_append(names_out, found[i]);
        buf_append_char(names_out, '\n');
    }
    buf_free(&text);
}

/* For other programs, which read the letters of the file names by it. Not worth a failure. */
static void keywords_write_file(int dirfd, str names_text)
{
    buf text = buf_new(2 * NAMES_BYTES_MAX);
    str line;

    for (unsigned i = 0; str_cut(&names_text, '\n', &line); i++)
        if (line.n)
            buf_printf(&text, "%u %.*s\n", i, STR_ARG(line));
    (void)file_replace(dirfd, KEYWORDS_FILE, buf_str(&text), (file_owner){ .mode = MAIL_FILE_MODE });
    buf_free(&text);
}

typedef struct names {
    str at[KEYWORDS_MAX]; /* views; empty: free */
} names;

static names names_split(str text)
{
    names n = { 0 };
    for (unsigned i = 0; i < KEYWORDS_MAX && str_cut(&text, '\n', &n.at[i]); i++)
        continue;
    return n;
}

static void names_join(const names *n, buf *out)
{
    unsigned used = KEYWORDS_MAX;
    while (used && n->at[used - 1].n == 0)
        used--;
    for (unsigned i = 0; i < used; i++) {
        buf_append(out, n->at[i]);
        buf_append_char(out, '\n');
    }
}

/* The bit with this name, or else the first that is free; KEYWORDS_MAX: neither. */
static unsigned bit_find(const names *n, str name, bool *is_there)
{
    unsigned free_bit = KEYWORDS_MAX;

    *is_there = false;
    for (unsigned i = 0; i < KEYWORDS_MAX; i++) {
        *is_there = n->at[i].n && str_equal_nocase(n->at[i], name);
        if (*is_there)
            return i;
        if (n->at[i].n == 0 && free_bit == KEYWORDS_MAX)
            free_bit = i;
    }
    return free_bit;
}

typedef struct addition {
    box *b;
    const str *names;
    size_t n;
    uint32_t bits;
    buf text; /* all names, after the addition */
} addition;

static fault addition_write(MDB_txn *t, void *context)
{
    addition *a = context;
    str stored = STR_NONE;

    (void)index_keywords_get(t, a->b->id, &stored);
    names all = names_split(stored);
    a->bits = 0;
    for (size_t i = 0; i < a->n; i++) {
        bool is_there;
        unsigned bit = bit_find(&all, a->names[i], &is_there);
        if (bit == KEYWORDS_MAX)
            return fault_make(FAULT_REFUSED, "2.0", "a mailbox has %d keywords at most", KEYWORDS_MAX);
        all.at[bit] = is_there ? all.at[bit] : a->names[i];
        a->bits |= 1u << bit;
    }
    buf_clear(&a->text);
    names_join(&all, &a->text);
    return env_fault(&a->b->s->index, index_keywords_put(t, a->b->id, buf_str(&a->text)), "write");
}

/* The bits of those that are there. */
static fault bits_known(box *b, const str *wanted, size_t n, uint32_t *bits_out, bool *is_complete)
{
    MDB_txn *t;
    str stored = STR_NONE;
    fault f = store_index(b->s);

    if (!is_fault(f))
        f = env_read(&b->s->index, &t);
    if (is_fault(f))
        return f;
    (void)index_keywords_get(t, b->id, &stored);
    names all = names_split(stored);
    *bits_out = 0;
    *is_complete = true;
    for (size_t i = 0; i < n; i++) {
        bool is_there;
        unsigned bit = bit_find(&all, wanted[i], &is_there);
        if (is_there)
            *bits_out |= 1u << bit;
        else
            *is_complete = false;
    }
    env_read_end(&b->s->index);
    return NO_FAULT;
}

fault keywords_bits(box *b, const str *wanted, size_t n, bool may_add, uint32_t *bits_out)
{
    bool is_complete;

    for (size_t i = 0; i < n; i++)
        if (!is_keyword(wanted[i]))
            return fault_make(FAULT_REFUSED, "2.0", "not a keyword");
    fault f = bits_known(b, wanted, n, bits_out, &is_complete);
    if (is_fault(f) || is_complete || !may_add)
        return f;
    addition a = { .b = b, .names = wanted, .n = n, .text = buf_new(NAMES_BYTES_MAX) };
    f = env_write(&b->s->index, addition_write, &a);
    if (!is_fault(f)) {
        keywords_write_file(b->dirfd, buf_str(&a.text));
        *bits_out = a.bits;
    }
    buf_free(&a.text);
    return f;
}

void keywords_free(mailbox *m)
{
    for (unsigned i = 0; i < KEYWORDS_MAX; i++)
        free(m->keywords[i]);
    memset(m->keywords, 0, sizeof m->keywords);
    m->n_keywords = 0;
}

bool keywords_load(mailbox *m)
{
    MDB_txn *t;
    str text = STR_NONE;
    unsigned before = m->n_keywords;

    if (is_fault(env_read(&m->box.s->index, &t)))
        return false;
    (void)index_keywords_get(t, m->box.id, &text);
    names all = names_split(text);
    for (unsigned i = 0; i < KEYWORDS_MAX; i++) {
        str name = all.at[i];
        if (name.n == 0 || m->keywords[i])
            continue;
        m->keywords[i] = memory_get(name.n + 1);
        memcpy(m->keywords[i], name.p, name.n);
        m->n_keywords++;
    }
    env_read_end(&m->box.s->index);
    return m->n_keywords > before;
}

str mailbox_keyword(const mailbox *m, unsigned bit)
{
    return bit < KEYWORDS_MAX ? str_c(m->keywords[bit]) : STR_NONE;
}

fault mailbox_keyword_bit(mailbox *m, str name, bool may_add, unsigned *bit_out)
{
    uint32_t bits = 0;

    for (unsigned i = 0; i < KEYWORDS_MAX; i++)
        if (m->keywords[i] && str_equal_nocase(str_c(m->keywords[i]), name)) {
            *bit_out = i;
            return NO_FAULT;
        }
    fault f = keywords_bits(&m->box, &name, 1, may_add && !m->is_readonly, &bits);
    if (is_fault(f))
        return f;
    if (bits == 0)
        return fault_make(FAULT_REFUSED, "2.0", "no such keyword");
    keywords_load(m);
    *bit_out = (unsigned)__builtin_ctz(bits);
    return NO_FAULT;
}
