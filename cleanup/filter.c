#include "cleanup/filter.h"
#include "base/num.h"
#include "conf/list.h"
#include "mail/header.h"
#include <stdio.h>

static void put(const message_filter *f, str bytes)
{
    if (bytes.n)
        f->rules.put(f->rules.context, bytes);
}

static bool has_checks(const message_filter *f, check_kind kind)
{
    return f->rules.checks && !f->is_passed && f->rules.checks->lists[kind].n;
}

void filter_open(message_filter *f, const filter_rules *rules, arena *mem)
{
    *f = (message_filter){ .rules = *rules, .mem = mem, .in_header = true };
    f->field = buf_new(rules->header_max + 2);
    f->line = buf_new(rules->body_max + 1);
    f->has_mime = has_checks(f, CHECKS_MIME) || has_checks(f, CHECKS_NESTED) || has_checks(f, CHECKS_BODY);
    if (f->has_mime)
        mime_open(&f->mime, &f->mime_memory, NULL);
}

void filter_close(message_filter *f)
{
    if (f->has_mime)
        mime_close(&f->mime);
    buf_free(&f->field);
    buf_free(&f->line);
    vec_free(&f->bcc);
    arena_free(&f->scratch);
    arena_free(&f->mime_memory);
}

static void note(const message_filter *f, const char *verb, check_kind kind, str line, const check_action *a)
{
    static const char *const parts[] = { "header", "mime-header", "nested-header", "body" };
    filter_note n = { verb, parts[kind], str_upto(line, 200), *a };
    f->rules.note(f->rules.context, &n);
}

/* A text of a table as lines. In a header no line of it may begin a field: what was matched may hold line ends. */
static str as_lines(message_filter *f, str text, bool is_header)
{
    buf out = buf_new(3 * text.n + 16);
    str line;

    while (str_cut(&text, '\n', &line)) {
        buf_append(&out, str_upto(line, line.n - str_ends(line, STR("\r"))));
        buf_append(&out, STR("\r\n"));
        bool is_folded = text.n && (text.p[0] == ' ' || text.p[0] == '\t');
        if (is_header && text.p && !is_folded)
            buf_append_char(&out, '\t');
    }
    str copy = arena_copy(&f->scratch, buf_str(&out));
    buf_free(&out);
    return copy;
}

/* "4.7.1" or "5.7.1" in front of the text (RFC 3463 2): taken off, its class and its rest are the fault's. */
static void status_cut(str *text, fault *f)
{
    str rest = *text, word = STR_NONE, part;
    uint64_t numbers[3] = { 0 };
    size_t n = 0;

    str_word(&rest, " \t", &word);
    for (str left = word; n < 3 && str_cut(&left, '.', &part) && num_parse(part, 0, 999, &numbers[n]); n++)
        if (n == 2 && left.p)
            return;
    if (n < 3 || (numbers[0] != 4 && numbers[0] != 5))
        return;
    *text = str_trim(rest);
    f->kind = numbers[0] == 4 ? FAULT_TRY_LATER : FAULT_REFUSED;
    snprintf(f->status, sizeof f->status, "%u.%u", (unsigned)numbers[1] % 1000, (unsigned)numbers[2] % 1000);
}

static fault refusal(str text)
{
    fault f = fault_make(FAULT_REFUSED, "7.1", "message content rejected");

    status_cut(&text, &f);
    if (text.n)
        snprintf(f.text, sizeof f.text, "%.*s", STR_ARG(text));
    for (char *p = f.text; *p; p++)
        *p = (unsigned char)*p < ' ' || (unsigned char)*p >= 0x7f ? '?' : *p;
    return f;
}

static void bcc_add(message_filter *f, str to)
{
    enum { BCC_MAX = 100 };

    for (size_t i = 0; i < f->bcc.n; i++)
        if (str_equal_nocase(f->bcc.p[i], to))
            return;
    if (f->bcc.n < BCC_MAX)
        *vec_add(&f->bcc) = arena_copy(f->mem, to);
}

/* Whether a text of PREPEND or REPLACE can stand in a header. */
static bool is_field_text(str text)
{
    return header_name_is_valid(str_upto(text, str_find(text, ':'))) && str_has(text, ':');
}

typedef enum fate { FATE_STAYS, FATE_GOES, FATE_REPLACED } fate;

static const struct {
    const char *name; /* in the log; NULL: no word of it */
    fate fate;
    bool is_change;
} effects[] = {
    [CHECK_DUNNO] = { NULL, FATE_STAYS, false },         [CHECK_BCC] = { "bcc", FATE_STAYS, false },
    [CHECK_DISCARD] = { "discard", FATE_STAYS, false },  [CHECK_FILTER] = { "not-done", FATE_STAYS, false },
    [CHECK_HOLD] = { "hold", FATE_STAYS, false },        [CHECK_IGNORE] = { NULL, FATE_GOES, true },
    [CHECK_INFO] = { "info", FATE_STAYS, false },        [CHECK_PASS] = { "pass", FATE_STAYS, false },
    [CHECK_PREPEND] = { "prepend", FATE_STAYS, true },   [CHECK_REDIRECT] = { "redirect", FATE_STAYS, false },
    [CHECK_REJECT] = { "reject", FATE_STAYS, false },    [CHECK_REPLACE] = { "replace", FATE_REPLACED, true },
    [CHECK_STRIP] = { "strip", FATE_GOES, true },        [CHECK_WARN] = { "warning", FATE_STAYS, false },
    [CHECK_UNKNOWN] = { "not-done", FATE_STAYS, false },
};

/* What the action of a matching line does. FATE_REPLACED: a->text stands for the line. */
static fate act(message_filter *f, check_kind kind, str line, check_action *a)
{
    bool is_header = kind != CHECKS_BODY;
    if (is_header && (a->verb == CHECK_PREPEND || a->verb == CHECK_REPLACE) && !is_field_text(a->text))
        a->verb = CHECK_UNKNOWN;
    f->is_changed = f->is_changed || effects[a->verb].is_change;
    if (effects[a->verb].name)
        note(f, effects[a->verb].name, kind, line, a);
    switch (a->verb) {
    case CHECK_BCC: bcc_add(f, a->text); break;
    case CHECK_DISCARD: f->is_discarded = true; break;
    case CHECK_HOLD: f->is_held = true; break;
    case CHECK_PASS: f->is_passed = true; break;
    case CHECK_PREPEND: put(f, as_lines(f, a->text, is_header)); break;
    case CHECK_REDIRECT: f->redirect = arena_copy(f->mem, a->text); break;
    case CHECK_REJECT: f->refused = refusal(a->text); break;
    default: break;
    }
    return effects[a->verb].fate;
}

static fate check(message_filter *f, check_kind kind, str text, check_action *out)
{
    fault unknown;

    if (!has_checks(f, kind))
        return FATE_STAYS;
    if (content_check(f->rules.checks, kind, text, &f->scratch, out, &unknown))
        return act(f, kind, text, out);
    if (is_fault(unknown))
        f->refused = fault_make(FAULT_TRY_LATER, "3.0", "%s", unknown.text);
    return FATE_STAYS;
}

static str without_eol(str line)
{
    line.n -= str_ends(line, STR("\n"));
    line.n -= str_ends(line, STR("\r"));
    return line;
}

str filter_field_text(str raw, arena *mem)
{
    str text = without_eol(raw);
    if (!str_has(text, '\n'))
        return text;
    char *p = arena_get(mem, text.n);
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] != '\r' || i + 1 == text.n || text.p[i + 1] != '\n')
            p[n++] = text.p[i];
    return (str){ p, n };
}

static bool is_mime_field(str name)
{
    static const str names[] = { STR_ROW("Content-Description"), STR_ROW("Content-Disposition"),
                                 STR_ROW("Content-ID"),          STR_ROW("Content-Transfer-Encoding"),
                                 STR_ROW("Content-Type"),        STR_ROW("MIME-Version") };
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (str_equal_nocase(names[i], name))
            return true;
    return false;
}

bool filter_has_addresses(str name, bool *is_sender)
{
    static const str senders[] = { STR_ROW("From"), STR_ROW("Sender"), STR_ROW("Reply-To") };
    static const str recipients[] = { STR_ROW("To"), STR_ROW("Cc"), STR_ROW("Bcc") };

    if (str_starts_nocase(name, STR("Resent-")))
        name = str_from(name, sizeof "Resent-" - 1);
    *is_sender = false;
    for (size_t i = 0; i < COUNT_OF(senders); i++)
        *is_sender = *is_sender || str_equal_nocase(senders[i], name);
    for (size_t i = 0; i < COUNT_OF(recipients); i++)
        if (str_equal_nocase(recipients[i], name))
            return true;
    return *is_sender;
}

/* The field with other addresses, put; false: it has no others. */
static bool addresses_put(message_filter *f, str raw, const header_field *field, address_other *other)
{
    buf value = buf_new(8 * f->rules.header_max);
    size_t changed = 0, front = (size_t)(field->value.p - raw.p);
    bool is_other = address_edit(field->value, other, f->rules.context, &f->scratch, &value, &changed) && changed;

    if (is_other) {
        f->is_changed = true;
        put(f, str_upto(raw, front));
        put(f, buf_str(&value));
        put(f, str_from(raw, front + field->value.n));
    }
    buf_free(&value);
    return is_other;
}

/* A field that the checks let pass. */
static void field_go(message_filter *f, str raw)
{
    header_walk walk = header_open(raw);
    header_field field;
    bool is_sender;

    if (f->is_primary && header_next(&walk, &field) && field.is_valid) {
        if (list_has(f->rules.drop_headers, field.name)) {
            f->is_changed = true;
            return;
        }
        address_other *other = !filter_has_addresses(field.name, &is_sender) ? NULL
                               : is_sender                                   ? f->rules.sender
                                                                             : f->rules.recipient;
        if (other && addresses_put(f, raw, &field, other))
            return;
    }
    put(f, raw);
}

static void field_take(message_filter *f, str raw)
{
    header_walk walk = header_open(raw);
    header_field field = { 0 };
    check_action a;

    header_next(&walk, &field);
    check_kind kind = field.is_valid && is_mime_field(field.name) ? CHECKS_MIME : f->kind;
    fate is = check(f, kind, has_checks(f, kind) ? filter_field_text(raw, &f->scratch) : raw, &a);
    if (is == FATE_STAYS)
        field_go(f, raw);
    else if (is == FATE_REPLACED)
        field_go(f, as_lines(f, a.text, true));
    arena_clear(&f->scratch);
}

void filter_field(message_filter *f, str field)
{
    f->is_primary = true;
    f->kind = CHECKS_HEADER;
    field_take(f, field);
}

static void field_finish(message_filter *f)
{
    if (f->field.n) {
        if (f->is_cut) {
            f->is_changed = true;
            f->field.n = without_eol(buf_str(&f->field)).n;
            buf_append(&f->field, STR("\r\n"));
        }
        field_take(f, buf_str(&f->field));
    }
    f->is_cut = f->is_raw = false;
    buf_clear(&f->field);
}

/* Where the line that begins now stands. */
static void line_begin(message_filter *f, char first)
{
    bool in_header = f->has_mime ? f->mime.state == MIME_IN_HEADER : f->in_header;
    const mime_part *part = f->has_mime ? f->mime.part : NULL;
    bool is_folded = (first == ' ' || first == '\t') && f->is_field && (f->field.n || f->is_raw);

    if (in_header && is_folded)
        return;
    field_finish(f);
    f->is_field = in_header;
    f->is_cut = f->is_gone = false;
    if (in_header) {
        f->is_primary = part == NULL || part->parent == NULL;
        f->kind = f->is_primary ? CHECKS_HEADER : part->parent->kind == MIME_MESSAGE ? CHECKS_NESTED : CHECKS_MIME;
    } else if (part != f->part) {
        f->part = part;
        f->part_bytes = 0;
    }
}

/* A field over the limit that no check asks for: its addresses stay, and it goes on as it comes. */
static bool may_go_raw(const message_filter *f)
{
    str name = str_upto(buf_str(&f->field), str_find(buf_str(&f->field), ':'));
    bool is_checked = has_checks(f, CHECKS_HEADER) || has_checks(f, CHECKS_MIME) || has_checks(f, CHECKS_NESTED);
    return !is_checked && !(f->is_primary && list_has(f->rules.drop_headers, name));
}

static void header_bit(message_filter *f, str bit, bool ends)
{
    size_t room = f->rules.header_max - f->field.n;

    if (bit.n > room && !f->is_cut && !f->is_raw && may_go_raw(f)) {
        put(f, buf_str(&f->field));
        buf_clear(&f->field);
        f->is_raw = true;
    }
    if (f->is_raw) {
        put(f, bit);
        return;
    }
    f->is_cut = f->is_cut || bit.n > room;
    buf_append(&f->field, str_upto(bit, room));
    if (ends && f->field.n <= 2 && without_eol(buf_str(&f->field)).n == 0) {
        put(f, buf_str(&f->field)); /* the empty line */
        buf_clear(&f->field);
        f->in_header = f->in_header && !f->is_primary;
    }
}

/* The line as far as it is looked at is in f->line; `rest` of this piece is not. */
static void line_check(message_filter *f, str rest)
{
    check_action a;
    str raw = buf_str(&f->line);
    fate is = check(f, CHECKS_BODY, without_eol(raw), &a);

    if (is == FATE_REPLACED)
        put(f, as_lines(f, a.text, false));
    f->is_gone = is != FATE_STAYS;
    f->is_cut = true;
    if (is == FATE_STAYS) {
        put(f, raw);
        put(f, rest);
    }
    f->part_bytes += raw.n;
    buf_clear(&f->line);
    arena_clear(&f->scratch);
}

static void body_bit(message_filter *f, str bit, bool ends)
{
    bool is_checked = has_checks(f, CHECKS_BODY) && f->part_bytes < f->rules.body_max;

    if (f->is_cut || (!is_checked && f->line.n == 0)) {
        if (!f->is_gone)
            put(f, bit);
        return;
    }
    size_t room = f->rules.body_max - f->line.n;
    buf_append(&f->line, str_upto(bit, room));
    if (ends || bit.n >= room)
        line_check(f, str_from(bit, room));
}

void filter_feed(message_filter *f, str piece)
{
    if (!f->in_header && !f->has_mime) {
        put(f, piece);
        return;
    }
    while (piece.n && !is_fault(f->refused)) {
        size_t n = str_find(piece, '\n');
        bool ends = n < piece.n;
        str bit = str_upto(piece, n + ends);
        if (!f->is_mid_line)
            line_begin(f, bit.p[0]);
        if (f->is_field)
            header_bit(f, bit, ends);
        else
            body_bit(f, bit, ends);
        if (f->has_mime)
            mime_feed(&f->mime, bit);
        f->is_mid_line = !ends;
        piece = str_from(piece, bit.n);
        if (!f->in_header && !f->has_mime && !f->is_mid_line) {
            put(f, piece);
            return;
        }
    }
}

void filter_finish(message_filter *f)
{
    if (is_fault(f->refused))
        return;
    field_finish(f);
    if (f->line.n)
        line_check(f, STR(""));
}
