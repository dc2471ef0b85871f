#include "mail/header.h"
#include "mail/lexer.h"

static bool is_name_char(char c)
{
    return c > ' ' && c < 127 && c != ':';
}

bool header_name_is_valid(str name)
{
    if (name.n == 0 || name.n > HEADER_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.n; i++)
        if (!is_name_char(name.p[i]))
            return false;
    return true;
}

header_walk header_open(str block)
{
    return (header_walk){ .block = block };
}

/* Length of the line at `at`, its line end included, and *text without it. */
static size_t line_length(str block, size_t at, str *text)
{
    str rest = str_from(block, at);
    size_t n = str_find(rest, '\n');

    *text = str_upto(rest, n);
    if (n == rest.n)
        return n;
    if (n && rest.p[n - 1] == '\r')
        text->n--;
    return n + 1;
}

bool header_next(header_walk *walk, header_field *out)
{
    str line;
    size_t end = walk->at + line_length(walk->block, walk->at, &line);

    if (walk->has_end || end == walk->at)
        return false;
    if (line.n == 0) {
        walk->has_end = true;
        walk->at = end;
        return false;
    }
    str raw = line;
    while (end < walk->block.n && (walk->block.p[end] == ' ' || walk->block.p[end] == '\t')) {
        end += line_length(walk->block, end, &line);
        raw.n = (size_t)(line.p + line.n - raw.p);
    }
    size_t colon = str_find(raw, ':');
    str name = str_upto(raw, colon);
    while (name.n && (name.p[name.n - 1] == ' ' || name.p[name.n - 1] == '\t'))
        name.n--;
    *out = (header_field){ .value = raw, .start = walk->at, .end = end };
    if (colon < raw.n && header_name_is_valid(name)) {
        out->is_valid = true;
        out->name = name;
        out->value = str_from(raw, colon + 1);
    }
    walk->at = end;
    return true;
}

bool header_find(str block, str name, header_field *out)
{
    header_walk walk = header_open(block);

    while (header_next(&walk, out))
        if (out->is_valid && str_equal_nocase(out->name, name))
            return true;
    return false;
}

str header_unfold(str raw, arena *mem)
{
    raw = str_trim(raw);
    if (!str_has(raw, '\n') && !str_has(raw, '\r'))
        return raw;
    char *p = arena_get(mem, raw.n);
    size_t n = 0;
    for (size_t i = 0; i < raw.n; i++)
        if (raw.p[i] != '\r' && raw.p[i] != '\n')
            p[n++] = raw.p[i];
    return (str){ p, n };
}

/* One line and its end at a time: a line that holds nothing but its end closes the header. */
parse header_scan_feed(header_scan *scan, str piece, size_t *used)
{
    size_t at = 0;

    while (at < piece.n) {
        size_t n = str_find(str_from(piece, at), '\n');
        bool has_text = scan->in_line || n > 1 || (n == 1 && (scan->saw_cr || piece.p[at] != '\r'));
        if (at + n == piece.n) {
            scan->saw_cr = n > 0 && piece.p[piece.n - 1] == '\r' && !has_text;
            scan->in_line = has_text;
            break;
        }
        at += n + 1;
        *scan = (header_scan){ .seen = scan->seen };
        if (!has_text) {
            scan->seen += at;
            *used = at;
            return PARSE_DONE;
        }
    }
    scan->seen += piece.n;
    *used = piece.n;
    return PARSE_MORE;
}

static bool is_blank_or_nul(char c)
{
    return is_blank_or_eol(c) || c == '\0';
}

/* Length of the next piece of `value` from `at`: its leading blanks and the word behind them. */
static size_t piece_length(str value, size_t at)
{
    size_t n = at;
    while (n < value.n && is_blank_or_nul(value.p[n]))
        n++;
    while (n < value.n && !is_blank_or_nul(value.p[n]))
        n++;
    return n - at;
}

bool header_add(buf *out, str name, str value)
{
    size_t column = name.n + 1;

    if (!header_name_is_valid(name))
        return false;
    while (value.n && is_blank_or_nul(value.p[0]))
        value = str_from(value, 1);
    while (value.n && is_blank_or_nul(value.p[value.n - 1]))
        value.n--;
    buf_append(out, name);
    buf_append(out, STR(": "));
    column++;
    for (size_t at = 0, n; at < value.n; at += n) {
        n = piece_length(value, at);
        /* Never at the front: a first line of blanks alone is what RFC 5322 3.2.2 forbids. */
        if (at > 0 && column + n > HEADER_FOLD_AT) {
            buf_append(out, STR("\r\n"));
            column = 0;
        }
        for (size_t i = at; i < at + n; i++)
            buf_append_char(out, is_blank_or_nul(value.p[i]) && value.p[i] != '\t' ? ' ' : value.p[i]);
        column += n;
    }
    buf_append(out, STR("\r\n"));
    return !out->overflow;
}
