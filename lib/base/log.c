#include "base/log.h"
#include "base/buf.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { PENDING_MAX = 64 * 1024, FIELD_MAX = 1024, FIELDS_MAX = 24 };

static struct {
    int fd;
    int pid; /* asked for once: it costs a system call */
    log_format format;
    const char *process;
    bool is_verbose;
    bool is_inside; /* `pending` begins in the middle of a line, whose head went out */
    uint64_t lines_lost;
    buf pending;
} state = { .fd = 2, .process = "postrider", .pending = { .max = PENDING_MAX } };

void log_open(int fd, log_format format, const char *process, bool is_verbose)
{
    log_flush();
    buf_clear(&state.pending);
    state.is_inside = false;
    state.fd = fd;
    state.pid = (int)getpid();
    state.format = format;
    state.process = process;
    state.is_verbose = is_verbose;
}

static size_t line_count(str s)
{
    size_t lines = 0;
    for (size_t i = 0; i < s.n; i++)
        lines += s.p[i] == '\n';
    return lines;
}

/* Keeps only the rest of a line that went out in part; the whole lines behind it are lost. */
static void drop_unwritten(size_t done)
{
    str left = str_from(buf_str(&state.pending), done);
    if (done > 0)
        state.is_inside = state.pending.p[done - 1] != '\n';
    size_t keep = state.is_inside ? str_find(left, '\n') + 1 : 0;
    state.lines_lost += line_count(str_from(left, keep));
    state.pending.n = done + keep;
    buf_consume(&state.pending, done);
}

/* A full pipe or disk must not stop mail: what cannot be written is dropped and counted; lines stay whole. */
void log_flush(void)
{
    size_t done = 0;
    int saved = errno;
    while (done < state.pending.n) {
        ssize_t n = write(state.fd, state.pending.p + done, state.pending.n - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    drop_unwritten(done);
    errno = saved;
}

static const char *level_name(log_level level)
{
    static const char *const names[] = { "debug", "info", "warning", "error" };
    return names[level];
}

/* Bytes of the UTF-8 sequence at i (RFC 3629 section 4), or 0: not UTF-8, or a C1 control, which terminals act on. */
static size_t utf8_length(str s, size_t i)
{
    unsigned char lead = (unsigned char)s.p[i];
    size_t n = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
    if (n == 0 || n > s.n - i)
        return 0;
    unsigned char second = (unsigned char)s.p[i + 1];
    unsigned char least = lead == 0xc2 || lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    unsigned char most = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    for (size_t k = 2; k < n; k++)
        if (((unsigned char)s.p[i + k] & 0xc0) != 0x80)
            return 0;
    return second >= least && second <= most ? n : 0;
}

/* The bytes of s that are written as they are from i on: 0 when the one at i must be escaped. */
static size_t plain_length(str s, size_t i)
{
    unsigned char c = (unsigned char)s.p[i];
    if (c >= 0x80)
        return utf8_length(s, i);
    return c >= 0x20 && c != 0x7f && c != '"' && c != '\\' ? 1 : 0;
}

static void append_escape(buf *out, unsigned char c)
{
    if (c == '"' || c == '\\')
        buf_printf(out, "\\%c", c);
    else if (state.format != LOG_FORMAT_JSON)
        buf_printf(out, "\\x%02x", c);
    else
        buf_printf(out, "\\u%04x", c < 0x80 ? c : 0xfffd);
}

/* At most FIELD_MAX bytes come out, so that no peer can make a line that does not fit. */
static void append_escaped(buf *out, str s)
{
    enum { ESCAPE_MAX = 6 };
    size_t end = out->n + FIELD_MAX - ESCAPE_MAX;
    for (size_t i = 0; i < s.n && out->n < end;) {
        size_t from = i, n;
        while (i < s.n && out->n + (i - from) < end && (n = plain_length(s, i)) > 0)
            i += n;
        buf_append(out, (str){ s.p + from, i - from });
        if (i < s.n && out->n < end)
            append_escape(out, (unsigned char)s.p[i++]);
    }
}

static bool needs_quotes(str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= 0x20 || c >= 0x7f || c == '"' || c == '\\' || c == '=')
            return true;
    }
    return s.n == 0;
}

/* printf would be half the cost of a line. */
static void append_words(buf *out, const char *a, const char *b, const char *c)
{
    buf_append(out, str_c(a));
    buf_append(out, str_c(b));
    buf_append(out, str_c(c));
}

static void append_field(buf *out, const log_field *f)
{
    bool is_json = state.format == LOG_FORMAT_JSON;
    append_words(out, is_json ? ",\"" : " ", f->name, is_json ? "\":" : "=");
    if (f->is_number) {
        buf_append_number(out, f->number, 1);
        return;
    }
    const char *quote = is_json || needs_quotes(f->text) ? "\"" : "";
    buf_append(out, str_c(quote));
    append_escaped(out, f->text);
    buf_append(out, str_c(quote));
}

static void append_time(buf *out)
{
    static char text[sizeof "2026-11-29T00:00:00."]; /* of that second */
    static time_t second = -1;
    struct timespec now;
    struct tm t;
    clock_gettime(CLOCK_REALTIME, &now);
    if (now.tv_sec != second && gmtime_r(&now.tv_sec, &t) && strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.", &t))
        second = now.tv_sec;
    buf_append(out, str_c(text));
    buf_append_number(out, (uint64_t)now.tv_nsec / 1000, 6);
    buf_append(out, STR("Z"));
}

static void append_head(buf *out, log_level level, const char *event)
{
    static const int priority[] = { 7, 6, 4, 3 };
    int pid = state.pid ? state.pid : (int)getpid();
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
        append_words(out, " ", state.process, "[");
        buf_append_number(out, (uint64_t)pid, 1);
        append_words(out, "] ", level_name(level), " ");
        buf_append(out, str_c(event));
        break;
    }
}

static void append_line(log_level level, const char *event, const log_field *fields, size_t n)
{
    append_head(&state.pending, level, event);
    for (size_t i = 1; i < n; i++)
        append_field(&state.pending, &fields[i]);
    buf_append(&state.pending, state.format == LOG_FORMAT_JSON ? STR("}\n") : STR("\n"));
}

static void append_lost(void)
{
    log_field fields[] = { { 0 }, LOG_NUM("lines", state.lines_lost) };
    if (state.lines_lost == 0)
        return;
    state.lines_lost = 0;
    append_line(LOG_WARNING, "log-lost", fields, COUNT_OF(fields));
    if (state.format == LOG_FORMAT_SYSLOG)
        log_flush(); /* a syslog socket takes one line a datagram */
}

void log_fields(log_level level, const char *event, const log_field *fields, size_t n)
{
    assert(n <= FIELDS_MAX);
    if (level == LOG_DEBUG && !state.is_verbose)
        return;
    int saved = errno;
    if (state.pending.n > PENDING_MAX / 2)
        log_flush();
    append_lost();
    append_line(level, event, fields, n);
    if (level == LOG_ERROR || state.format == LOG_FORMAT_SYSLOG)
        log_flush();
    errno = saved;
}

void log_fault(log_level level, const char *event, fault f)
{
    log_event(level, event, LOG_C("status", f.status), LOG_C("reason", f.text));
}
