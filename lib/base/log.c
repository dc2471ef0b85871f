#include "base/log.h"
#include "base/buf.h"
#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { PENDING_MAX = 64 * 1024, FIELD_MAX = 1024 };

static struct {
    int fd;
    log_format format;
    const char *process;
    bool is_verbose;
    buf pending;
} state = { .fd = 2, .process = "postrider", .pending = { .max = PENDING_MAX } };

void log_open(int fd, log_format format, const char *process, bool is_verbose)
{
    log_flush();
    state.fd = fd;
    state.format = format;
    state.process = process;
    state.is_verbose = is_verbose;
}

/* A full pipe or disk must not stop mail: what cannot be written is dropped, lines stay whole. */
void log_flush(void)
{
    size_t done = 0;
    while (done < state.pending.n) {
        ssize_t n = write(state.fd, state.pending.p + done, state.pending.n - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    buf_clear(&state.pending);
}

static const char *level_name(log_level level)
{
    static const char *const names[] = { "debug", "info", "warning", "error" };
    return names[level];
}

static void append_escaped(buf *out, str s)
{
    s = str_upto(s, FIELD_MAX);
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '"' || c == '\\')
            buf_printf(out, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            buf_printf(out, state.format == LOG_FORMAT_JSON ? "\\u%04x" : "\\x%02x", c);
        else
            buf_append_char(out, (char)c);
    }
}

static bool needs_quotes(str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= 0x20 || c == 0x7f || c == '"' || c == '\\' || c == '=')
            return true;
    }
    return s.n == 0;
}

static void append_quoted(buf *out, str s)
{
    buf_append_char(out, '"');
    append_escaped(out, s);
    buf_append_char(out, '"');
}

static void append_field(buf *out, const log_field *f)
{
    bool is_json = state.format == LOG_FORMAT_JSON;
    buf_printf(out, is_json ? ",\"%s\":" : " %s=", f->name);
    if (f->is_number)
        buf_printf(out, "%llu", (unsigned long long)f->number);
    else if (is_json || needs_quotes(f->text))
        append_quoted(out, f->text);
    else
        buf_append(out, f->text);
}

static void append_time(buf *out)
{
    struct timespec now;
    struct tm t;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &t);
    buf_printf(out, "%04d-%02d-%02dT%02d:%02d:%02d.%06ldZ", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour,
               t.tm_min, t.tm_sec, now.tv_nsec / 1000);
}

static void append_head(buf *out, log_level level, const char *event)
{
    static const int priority[] = { 7, 6, 4, 3 };
    int pid = (int)getpid();
    switch (state.format) {
    case LOG_FORMAT_JSON:
        buf_printf(out, "{\"time\":\"");
        append_time(out);
        buf_printf(out, "\",\"level\":\"%s\",\"process\":\"%s\",\"pid\":%d,\"event\":\"%s\"", level_name(level),
                   state.process, pid, event);
        break;
    case LOG_FORMAT_SYSLOG: /* facility mail; the syslog daemon stamps the time */
        buf_printf(out, "<%d>postrider/%s[%d]: %s", 2 << 3 | priority[level], state.process, pid, event);
        break;
    case LOG_FORMAT_TEXT:
        append_time(out);
        buf_printf(out, " %s[%d] %s %s", state.process, pid, level_name(level), event);
        break;
    }
}

void log_fields(log_level level, const char *event, const log_field *fields, size_t n)
{
    if (level == LOG_DEBUG && !state.is_verbose)
        return;
    if (state.pending.n > PENDING_MAX / 2)
        log_flush();
    int saved = errno;
    append_head(&state.pending, level, event);
    for (size_t i = 1; i < n; i++)
        append_field(&state.pending, &fields[i]);
    buf_append(&state.pending, state.format == LOG_FORMAT_JSON ? STR("}\n") : STR("\n"));
    if (level == LOG_ERROR || state.format == LOG_FORMAT_SYSLOG)
        log_flush(); /* a syslog socket takes one line a datagram */
    errno = saved;
}

void log_fault(log_level level, const char *event, fault f)
{
    log_event(level, event, LOG_C("status", f.status), LOG_C("reason", f.text));
}
