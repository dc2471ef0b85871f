#include "ctl/sendmail/content.h"
#include "mail/header.h"

content content_new(bool ignores_dot, content_header_fn *on_header, void *context)
{
    return (content){ .ignores_dot = ignores_dot,
                      .on_header = on_header,
                      .context = context,
                      .header = buf_new(CONTENT_HEADER_MAX),
                      .line = buf_new(CONTENT_HEADER_MAX) };
}

void content_free(content *c)
{
    buf_free(&c->header);
    buf_free(&c->line);
}

static void header_over(content *c, buf *out)
{
    c->in_body = true;
    c->fault = c->on_header(c->context, buf_str(&c->header), out);
    buf_append(out, STR("\r\n"));
}

static bool is_field(str line)
{
    size_t colon = str_find(line, ':'), n = colon;
    while (n > 0 && (line.p[n - 1] == ' ' || line.p[n - 1] == '\t'))
        n--;
    return colon < line.n && header_name_is_valid(str_upto(line, n));
}

/* A header ends at an empty line, or at the first line that cannot be one of its own. */
static void header_line(content *c, buf *out)
{
    str line = buf_str(&c->line);
    bool goes_on = line.n && (line.p[0] == ' ' || line.p[0] == '\t') && c->header.n;
    if (c->header.n == 0 && str_starts(line, STR("From "))) { /* of an mbox */
        buf_clear(&c->line);
        return;
    }
    if (line.n && (goes_on || is_field(line))) {
        buf_append(&c->header, line);
        buf_append(&c->header, STR("\r\n"));
    } else {
        header_over(c, out);
        if (line.n) {
            buf_append(out, line);
            buf_append(out, STR("\r\n"));
        }
    }
    buf_clear(&c->line);
}

static void line_end(content *c, buf *out)
{
    c->state = CONTENT_START;
    if (c->in_body)
        buf_append(out, STR("\r\n"));
    else
        header_line(c, out);
}

/* A line that is longer than any field's name and has no colon is text: it need not be kept to its end. */
static void long_line_check(content *c, buf *out)
{
    str line = buf_str(&c->line);
    bool goes_on = (line.p[0] == ' ' || line.p[0] == '\t') && c->header.n;
    if (goes_on || str_has(line, ':') || (c->header.n == 0 && str_starts(line, STR("From "))))
        return;
    header_over(c, out);
    buf_append(out, line);
    buf_clear(&c->line);
}

static void octet_put(content *c, char octet, buf *out)
{
    c->state = CONTENT_LINE;
    c->is_8bit = c->is_8bit || (unsigned char)octet >= 0x80;
    buf_append_char(c->in_body ? out : &c->line, octet);
    if (!c->in_body && c->line.n == 2 * HEADER_NAME_MAX)
        long_line_check(c, out);
}

/* A CR alone ends a line of the body. In a header it must not begin a field that the program never wrote. */
static void bare_cr(content *c, buf *out)
{
    if (c->in_body)
        line_end(c, out);
    else
        octet_put(c, ' ', out);
}

/* True: the dot alone on its line was met. */
static bool octet_take(content *c, char octet, buf *out)
{
    bool was_dot = c->state == CONTENT_DOT || c->state == CONTENT_DOT_CR;
    if (octet == '\n' && was_dot)
        return true;
    if (c->state == CONTENT_DOT && octet == '\r') {
        c->state = CONTENT_DOT_CR;
        return false;
    }
    if (octet == '\n') {
        line_end(c, out);
        return false;
    }
    bool after_cr = c->state == CONTENT_CR || c->state == CONTENT_DOT_CR;
    if (was_dot)
        octet_put(c, '.', out);
    if (after_cr)
        bare_cr(c, out);
    if (octet == '\r')
        c->state = CONTENT_CR;
    else if (octet == '.' && c->state == CONTENT_START && !c->ignores_dot)
        c->state = CONTENT_DOT;
    else
        octet_put(c, octet, out);
    return false;
}

static bool has_failed(content *c)
{
    if (!is_fault(c->fault) && (c->header.overflow || c->line.overflow))
        c->fault = fault_make(FAULT_REFUSED, "3.4", "the header is larger than %d octets", CONTENT_HEADER_MAX);
    return is_fault(c->fault);
}

/* The part of a line of the body that needs no look at each octet. */
static size_t plain_run(content *c, str piece, buf *out)
{
    size_t n = 0;
    if (!c->in_body || c->state != CONTENT_LINE)
        return 0;
    while (n < piece.n && piece.p[n] != '\n' && piece.p[n] != '\r' && piece.p[n] != '\0') {
        c->is_8bit = c->is_8bit || (unsigned char)piece.p[n] >= 0x80;
        n++;
    }
    buf_append(out, str_upto(piece, n));
    return n;
}

parse content_feed(content *c, str piece, buf *out)
{
    while (piece.n > 0) {
        size_t run = plain_run(c, piece, out);
        piece = str_from(piece, run);
        if (piece.n == 0)
            break;
        if (piece.p[0] != '\0' && octet_take(c, piece.p[0], out))
            return content_end(c, out);
        piece = str_from(piece, 1);
        if (has_failed(c))
            return PARSE_BAD;
    }
    return PARSE_MORE;
}

/* A last line without an end gets one; a dot that nothing follows was meant as the end. */
parse content_end(content *c, buf *out)
{
    if (c->state == CONTENT_LINE || c->state == CONTENT_CR)
        line_end(c, out);
    c->state = CONTENT_START;
    if (!c->in_body)
        header_over(c, out);
    return has_failed(c) ? PARSE_BAD : PARSE_DONE;
}
