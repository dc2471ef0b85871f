#include "pipe/worker/outcome.h"
#include <sys/wait.h>
#include <sysexits.h>

enum { COMMAND_SHOWN = 120 };

/* As Postfix has them. The class decides whether it is tried again. */
static const struct {
    int code;
    const char *status, *text;
} rows[] = {
    { EX_USAGE, "5.3.0", "command line usage error" },
    { EX_DATAERR, "5.6.0", "data format error" },
    { EX_NOINPUT, "5.3.0", "cannot open input" },
    { EX_NOUSER, "5.1.1", "user unknown" },
    { EX_NOHOST, "5.1.2", "host name unknown" },
    { EX_UNAVAILABLE, "5.3.0", "service unavailable" },
    { EX_SOFTWARE, "5.3.0", "internal software error" },
    { EX_OSERR, "4.3.0", "system resource problem" },
    { EX_OSFILE, "5.3.0", "critical OS file missing" },
    { EX_CANTCREAT, "5.2.0", "can't create user output file" },
    { EX_IOERR, "5.3.0", "input/output error" },
    { EX_TEMPFAIL, "4.3.0", "temporary failure" },
    { EX_PROTOCOL, "5.5.0", "remote error in protocol" },
    { EX_NOPERM, "5.7.0", "permission denied" },
    { EX_CONFIG, "5.3.5", "local configuration error" },
};

/* Control bytes would be obeyed by a terminal, or end a line of the log or of a report. */
static void text_append(buf *out, str text)
{
    text = str_trim(text);
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        buf_append_char(out, c == '\n' || c == '\r' || c == '\t' ? ' ' : c < ' ' || c >= 0x7f ? '?' : (char)c);
    }
}

static size_t digits(str s, size_t most)
{
    size_t n = 0;
    while (n < s.n && n <= most && s.p[n] >= '0' && s.p[n] <= '9')
        n++;
    return n <= most ? n : 0;
}

/* RFC 3463 2: class, subject and detail. *rest is what stands behind it. */
static bool status_read(str output, str *out, str *rest)
{
    str s = str_trim(output);
    size_t subject = digits(str_from(s, 2), 3), detail = digits(str_from(s, 3 + subject), 3), n = 3 + subject + detail;
    bool is_status = s.n > 4 && (s.p[0] == '4' || s.p[0] == '5') && s.p[1] == '.' && subject && s.n > 2 + subject &&
                     s.p[2 + subject] == '.' && detail;
    if (!is_status || (s.n > n && s.p[n] != ' ' && s.p[n] != '\t' && s.p[n] != '\n' && s.p[n] != '\r'))
        return false;
    *out = str_upto(s, n);
    *rest = str_from(s, n);
    return true;
}

static void command_append(buf *out, const command_end *end)
{
    buf_append(out, STR(": \""));
    text_append(out, str_upto(end->command, COMMAND_SHOWN));
    buf_append(out, STR("\""));
}

static void output_append(buf *out, str output)
{
    if (str_trim(output).n)
        buf_append(out, STR(". Command output: "));
    text_append(out, output);
}

static fault fault_of(str status)
{
    fault_kind kind = status.p[0] == '4' ? FAULT_TRY_LATER : FAULT_REFUSED;
    str rest = str_upto(str_from(status, 2), sizeof((fault *)0)->status - 1);
    fault f = fault_make(kind, "", "the command failed");
    memcpy(f.status, rest.p, rest.n);
    f.status[rest.n] = '\0';
    return f;
}

/* The status by the way it ended; its words are appended. */
static str end_describe(const command_end *end, buf *reason)
{
    int status = end->wait_status;
    if (end->is_late) {
        buf_append(reason, STR("Command time limit exceeded"));
        command_append(reason, end);
        return STR("4.3.0");
    }
    if (!WIFEXITED(status)) {
        buf_printf(reason, "Command died with signal %d", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
        command_append(reason, end);
        return STR("4.3.0");
    }
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (rows[i].code != WEXITSTATUS(status))
            continue;
        buf_append(reason, str_c(rows[i].text));
        return str_c(rows[i].status);
    }
    buf_printf(reason, "Command died with status %d", WEXITSTATUS(status));
    command_append(reason, end);
    return STR("5.3.0");
}

fault outcome_read(const command_end *end, buf *reason)
{
    str status, rest;
    if (!end->is_late && WIFEXITED(end->wait_status) && WEXITSTATUS(end->wait_status) == 0) {
        buf_append(reason, STR("delivered to command: "));
        text_append(reason, str_upto(end->command, COMMAND_SHOWN));
        return NO_FAULT;
    }
    bool says_status = !end->is_late && WIFEXITED(end->wait_status) && status_read(end->output, &status, &rest);
    if (says_status) {
        text_append(reason, rest);
        if (reason->n == 0)
            end_describe(end, reason);
        return fault_of(status);
    }
    status = end_describe(end, reason);
    output_append(reason, end->output);
    return fault_of(status);
}
