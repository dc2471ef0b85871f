#include "proto/smtp_command.h"

static size_t verb_length(str line)
{
    static const str with_path[] = { STR_ROW("MAIL FROM:"), STR_ROW("RCPT TO:") };

    for (size_t i = 0; i < COUNT_OF(with_path); i++)
        if (str_starts_nocase(line, with_path[i]))
            return with_path[i].n;
    return str_find(line, ' ');
}

static str blanks_off(str s)
{
    while (s.n && s.p[0] == ' ')
        s = str_from(s, 1);
    while (s.n && s.p[s.n - 1] == ' ')
        s.n--;
    return s;
}

/* The place of the '>' that closes the path: not one inside a quoted local part, not an escaped one; s.n: none. */
static size_t path_end(str s)
{
    bool quoted = false;

    for (size_t i = 1; i < s.n; i++) {
        if (s.p[i] == '\\' && quoted)
            i++;
        else if (s.p[i] == '"')
            quoted = !quoted;
        else if (s.p[i] == '>' && !quoted)
            return i;
    }
    return s.n;
}

void smtp_command_parse(str line, smtp_command *out)
{
    size_t n = verb_length(line);
    str rest = blanks_off(str_from(line, n));

    *out = (smtp_command){ .verb = str_upto(line, n), .argument = rest };
    if (rest.n == 0 || rest.p[0] != '<')
        return;
    size_t end = path_end(rest);
    if (end == rest.n || (end + 1 < rest.n && rest.p[end + 1] != ' '))
        return; /* no path, or text that sticks to it: the verb's row says 501 */
    out->is_path = true;
    out->argument = (str){ rest.p + 1, end - 1 };
    out->params = blanks_off(str_from(rest, end + 1));
}

parse smtp_command_read(line_reader *r, str in, smtp_command *out, size_t *used)
{
    str line;
    parse p = line_read(r, in, &line, used);

    if (p == PARSE_DONE)
        smtp_command_parse(line, out);
    return p;
}
