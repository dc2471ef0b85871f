#include "store/wire.h"

/* Everything that goes to the file passes here, so that wire_bytes tells what wire_to_wire will make of it. */
static bool put(wire *w, str bytes, buf *out)
{
    w->wire_bytes += bytes.n;
    return buf_append(out, bytes);
}

static bool flush_crs(wire *w, buf *out)
{
    bool done = true;
    for (; w->crs; w->crs--)
        done = put(w, STR("\r"), out) && done;
    return done;
}

/* A CR that stands alone before LF is dropped; of CRCRLF nothing is, so that it is told from CRLF on the way back. */
static bool line_end(wire *w, buf *out)
{
    bool is_kept = w->crs > 1;
    if (!is_kept) {
        w->crs = 0;
        w->wire_bytes++;
    }
    return flush_crs(w, out) && put(w, STR("\n"), out);
}

/* Nearly all of a message: a line that ends in CRLF and has no other CR. */
static bool is_plain_line(const wire *w, str line)
{
    return w->crs == 0 && line.n >= 2 && line.p[line.n - 1] == '\n' && str_find(line, '\r') == line.n - 2;
}

static bool plain_line_put(wire *w, str line, buf *out)
{
    if (!buf_append(out, str_upto(line, line.n - 1)))
        return false;
    out->p[out->n - 1] = '\n';
    w->wire_bytes += line.n;
    return true;
}

static bool any_line_put(wire *w, str bytes, buf *out)
{
    while (bytes.n) {
        if (bytes.p[0] == '\r') {
            if (w->crs == 2) { /* a long run: two are enough to know */
                if (!put(w, STR("\r"), out))
                    return false;
            } else {
                w->crs++;
            }
            bytes = str_from(bytes, 1);
            continue;
        }
        if (bytes.p[0] == '\n')
            return line_end(w, out);
        size_t cr = str_find(bytes, '\r'), n = str_find(str_upto(bytes, cr), '\n');
        if (!flush_crs(w, out) || !put(w, str_upto(bytes, n), out))
            return false;
        bytes = str_from(bytes, n);
    }
    return true;
}

bool wire_to_stored(wire *w, str bytes, buf *out)
{
    bool done = true;
    while (bytes.n && done) {
        str line = str_upto(bytes, str_find(bytes, '\n') + 1);
        done = is_plain_line(w, line) ? plain_line_put(w, line, out) : any_line_put(w, line, out);
        bytes = str_from(bytes, line.n);
    }
    return done;
}

bool wire_to_stored_end(wire *w, buf *out)
{
    return flush_crs(w, out);
}

bool wire_to_wire(wire *w, str bytes, buf *out)
{
    while (bytes.n) {
        size_t n = str_find(bytes, '\n');
        if (!buf_append(out, str_upto(bytes, n)))
            return false;
        bool has_cr = n ? bytes.p[n - 1] == '\r' : w->crs;
        if (n == bytes.n) {
            w->crs = has_cr;
            return true;
        }
        if (!buf_append(out, has_cr ? STR("\n") : STR("\r\n")))
            return false;
        w->crs = 0;
        bytes = str_from(bytes, n + 1);
    }
    return true;
}

void wire_count(wire *w, str bytes)
{
    w->wire_bytes += bytes.n;
    while (bytes.n) {
        size_t n = str_find(bytes, '\n');
        bool has_cr = n ? bytes.p[n - 1] == '\r' : w->crs;
        w->crs = n == bytes.n && has_cr;
        if (n < bytes.n && !has_cr)
            w->wire_bytes++;
        bytes = str_from(bytes, n + 1);
    }
}
