#include "proto/xtext.h"

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool is_xchar(char c)
{
    return c >= '!' && c <= '~' && c != '+' && c != '=';
}

static bool decode(str text, buf *out)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '+') {
            int high = i + 2 < text.n ? hex_value(text.p[i + 1]) : -1;
            int low = i + 2 < text.n ? hex_value(text.p[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (char)(high << 4 | low);
            i += 2;
        } else if (!is_xchar(c)) {
            return false;
        }
        if (!buf_append_char(out, c))
            return false;
    }
    return true;
}

bool xtext_decode(str text, buf *out)
{
    size_t before = out->n;

    if (decode(text, out))
        return true;
    out->n = before;
    return false;
}

bool xtext_encode(str bytes, buf *out)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < bytes.n; i++) {
        unsigned char c = (unsigned char)bytes.p[i];
        char escape[3] = { '+', digits[c >> 4], digits[c & 15] };
        if (!(is_xchar((char)c) ? buf_append_char(out, (char)c) : buf_append(out, (str){ escape, 3 })))
            return false;
    }
    return true;
}
