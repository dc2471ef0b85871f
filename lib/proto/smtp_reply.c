#include "proto/smtp_reply.h"
#include "mail/address.h"

enum { REPLY_LINE_MAX_READ = 2048 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* How much of `line` goes on one line of at most `room` octets: up to a blank where there is one. */
static size_t line_share(str line, size_t room)
{
    if (line.n <= room)
        return line.n;
    size_t blank = str_find_last(str_upto(line, room), ' ');
    return blank < room && blank > room / 2 ? blank + 1 : room;
}

static bool text_append(buf *out, str text)
{
    size_t start = out->n;

    if (!buf_append(out, text))
        return false;
    for (size_t i = start; i < out->n; i++)
        if (out->p[i] < ' ' || out->p[i] > '~')
            out->p[i] = '?';
    return true;
}

static bool line_append(buf *out, unsigned code, str status, str text, bool is_last)
{
    return buf_append_number(out, code, 3) && buf_append_char(out, is_last ? ' ' : '-') && buf_append(out, status) &&
           buf_append(out, status.n ? STR(" ") : STR_NONE) && text_append(out, text) && buf_append(out, STR("\r\n"));
}

bool smtp_reply_write(buf *out, unsigned code, str status, str text)
{
    size_t room = SMTP_REPLY_LINE_MAX - STR("250 ").n - (status.n ? status.n + 1 : 0) - STR("\r\n").n;
    str rest = text.n && text.p[text.n - 1] == '\n' ? str_upto(text, text.n - 1) : text;
    bool is_last = false;

    while (!is_last) {
        size_t n = str_find(rest, '\n');
        size_t share = line_share(str_upto(rest, n), room);
        is_last = share == rest.n;
        if (!line_append(out, code, status, str_upto(rest, share), is_last))
            return false;
        rest = str_from(rest, share < n ? share : n + 1);
    }
    return true;
}

smtp_reply_reader smtp_reply_reader_new(size_t lines_max, size_t text_max)
{
    return (smtp_reply_reader){
        .line = line_reader_new(REPLY_LINE_MAX_READ, true),
        .text = buf_new(text_max),
        .lines_max = lines_max,
    };
}

void smtp_reply_reader_free(smtp_reply_reader *r)
{
    buf_free(&r->text);
}

/* RFC 5321 4.2.1: 2 to 5, 0 to 5, any digit. 0: no reply code. */
static unsigned code_read(str line)
{
    if (line.n < 3 || line.p[0] < '2' || line.p[0] > '5' || line.p[1] < '0' || line.p[1] > '5' || !is_digit(line.p[2]))
        return 0;
    return (unsigned)(line.p[0] - '0') * 100 + (unsigned)(line.p[1] - '0') * 10 + (unsigned)(line.p[2] - '0');
}

/* Length of an enhanced code of that class at the front, "5.7.1" (RFC 3463 2); 0: none. */
static size_t status_length(str text, char class)
{
    size_t i = 1;

    if (text.n < 5 || text.p[0] != class)
        return 0;
    for (int part = 0; part < 2; part++) {
        if (i >= text.n || text.p[i] != '.')
            return 0;
        size_t digits = ++i;
        while (i < text.n && is_digit(text.p[i]) && i - digits < 3)
            i++;
        if (i == digits)
            return 0;
    }
    return i == text.n || text.p[i] == ' ' ? i : 0;
}

/* Control characters never pass on; other bytes only as valid UTF-8. */
static bool reply_text_append(buf *out, str text)
{
    size_t start = out->n;
    bool is_utf8 = utf8_is_valid(text);

    if (!buf_append(out, text))
        return false;
    for (size_t i = start; i < out->n; i++) {
        unsigned char c = (unsigned char)out->p[i];
        if (c < ' ' || c == 127 || (c > 127 && !is_utf8))
            out->p[i] = '?';
    }
    return true;
}

static bool line_keep(smtp_reply_reader *r, str line)
{
    str text = str_from(line, 4);
    size_t n = status_length(text, line.p[0]);

    if (r->lines == 0 && n) {
        memcpy(r->status, text.p, n);
        r->status_n = n;
    }
    if (r->lines++ > 0 && !buf_append_char(&r->text, '\n'))
        return false;
    return reply_text_append(&r->text, n ? str_from(text, n + 1) : text);
}

static void reply_begin(smtp_reply_reader *r)
{
    buf_clear(&r->text);
    r->code = 0;
    r->lines = r->status_n = 0;
    r->is_done = false;
}

static parse reply_line(smtp_reply_reader *r, str line)
{
    unsigned code = code_read(line);
    char mark = line.n > 3 ? line.p[3] : ' ';

    if (code == 0 || (r->lines && code != r->code) || (mark != ' ' && mark != '-') || r->lines == r->lines_max)
        return PARSE_BAD;
    r->code = code;
    if (!line_keep(r, line))
        return PARSE_BAD;
    return mark == ' ' ? PARSE_DONE : PARSE_MORE;
}

parse smtp_reply_read(smtp_reply_reader *r, str in, smtp_reply *out, size_t *used)
{
    str line;
    size_t n;
    parse p = PARSE_MORE;

    *used = 0;
    if (r->is_done)
        reply_begin(r);
    while (p == PARSE_MORE) {
        p = line_read(&r->line, str_from(in, *used), &line, &n);
        *used += n;
        if (p != PARSE_DONE)
            return p;
        p = reply_line(r, line);
    }
    r->is_done = true;
    if (p == PARSE_DONE)
        *out = (smtp_reply){ r->code, { r->status, r->status_n }, buf_str(&r->text), r->lines };
    return p;
}
