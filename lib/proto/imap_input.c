#include "proto/imap_input.h"
#include "base/num.h"
#include "base/secret.h"
#include "proto/imap_lexer.h"
#include <assert.h>

enum {
    KEPT_BYTES = 4096, /* memory that stays with an open session between commands */
    TAG_MAX = 80,
};

typedef enum announced { ANNOUNCED_NOTHING, ANNOUNCED_LITERAL, ANNOUNCED_TOO_MUCH } announced;

imap_input imap_input_new(imap_limits limits)
{
    return (imap_input){ .limits = limits, .command = buf_new(limits.command_bytes) };
}

void imap_input_free(imap_input *i)
{
    if (i->command.p)
        secret_wipe(i->command.p, i->command.n);
    buf_free(&i->command);
}

/* Whether the text of a line ends in "{n}" or "{n+}". `is_cut`: its beginning may be missing, so a number without
 * its brace counts as one that is too big. *start is where the brace stands. */
static announced literal_read(str line, bool is_cut, uint64_t *n, bool *is_sync, size_t *start)
{
    size_t end = line.n, digits;

    if (end == 0 || line.p[end - 1] != '}')
        return ANNOUNCED_NOTHING;
    end--;
    *is_sync = end == 0 || line.p[end - 1] != '+';
    end -= *is_sync ? 0 : 1;
    for (digits = end; digits > 0 && line.p[digits - 1] >= '0' && line.p[digits - 1] <= '9';)
        digits--;
    if (digits == 0 && is_cut)
        return ANNOUNCED_TOO_MUCH;
    if (digits == end || digits == 0 || line.p[digits - 1] != '{')
        return ANNOUNCED_NOTHING;
    *start = digits - 1;
    return num_parse((str){ line.p + digits, end - digits }, 0, INT64_MAX, n) ? ANNOUNCED_LITERAL : ANNOUNCED_TOO_MUCH;
}

/* What a refused literal may cost to read past; a client that announces more is left. */
static uint64_t skip_max(const imap_input *i)
{
    return i->limits.append_bytes ? UINT64_C(100) << 20 : i->limits.command_bytes;
}

static parse refuse(imap_input *i, imap_input_problem problem)
{
    i->problem = problem;
    return PARSE_BAD;
}

/* The end of a command that is not wanted, where the client announced a literal of n bytes. */
static void literal_skip(imap_input *i, announced kind, uint64_t n, bool is_sync)
{
    i->state = IMAP_AT_END;
    if (is_sync)
        return; /* it waits, and hears BAD or NO instead of "+" */
    i->is_fatal = i->is_fatal || kind == ANNOUNCED_TOO_MUCH || n > skip_max(i);
    i->literal_left = n;
    i->tail_n = 0;
    i->state = n ? IMAP_SKIP_LITERAL : IMAP_SKIP_LINE;
}

static void tail_add(imap_input *i, str bytes)
{
    size_t keep = bytes.n >= sizeof i->tail ? 0 : sizeof i->tail - bytes.n;

    if (i->tail_n > keep) {
        memmove(i->tail, i->tail + i->tail_n - keep, keep);
        i->tail_n = keep;
    }
    if (bytes.n > sizeof i->tail)
        bytes = str_from(bytes, bytes.n - sizeof i->tail);
    if (bytes.n)
        memcpy(i->tail + i->tail_n, bytes.p, bytes.n);
    i->tail_n += bytes.n;
}

/* From here on the line is skipped; the piece that was looked at is seen once more by line_skip. */
static parse line_refuse(imap_input *i, str piece, imap_input_problem problem)
{
    i->tail_n = 0;
    tail_add(i, str_from(buf_str(&i->command), i->line_start));
    if (i->command.n < TAG_MAX)
        buf_append(&i->command, str_upto(piece, TAG_MAX - i->command.n));
    i->state = IMAP_SKIP_LINE;
    return refuse(i, problem);
}

static parse line_skip(imap_input *i, str in, size_t *used)
{
    size_t n = str_find(in, '\n'), start;
    uint64_t bytes = 0;
    bool is_sync = false;

    tail_add(i, str_upto(in, n));
    *used = n < in.n ? n + 1 : n;
    if (n == in.n)
        return PARSE_MORE;
    bool is_cut = i->tail_n == sizeof i->tail;
    str tail = { i->tail, i->tail_n };
    if (tail.n && tail.p[tail.n - 1] == '\r')
        tail.n--;
    announced kind = literal_read(tail, is_cut, &bytes, &is_sync, &start);
    i->tail_n = 0;
    i->state = IMAP_IN_LINE;
    if (kind != ANNOUNCED_NOTHING && !is_sync)
        literal_skip(i, kind, bytes, is_sync);
    return i->is_fatal ? refuse(i, IMAP_INPUT_LITERAL_TOO_BIG) : PARSE_MORE;
}

/* RFC 3501 6.3.11: every literal of APPEND but the mailbox's name carries the message. `brace` is where it is
 * announced. */
static bool is_append_message(const imap_input *i, size_t brace)
{
    str command = buf_str(&i->command);
    size_t verb = str_find(command, ' ') + 1;
    str rest = str_from(command, verb);

    return i->limits.append_bytes && str_starts_nocase(rest, STR("APPEND ")) && brace > verb + STR("APPEND ").n;
}

static parse message_announced(imap_input *i, uint64_t n, bool is_sync)
{
    if (n > i->limits.append_bytes) {
        literal_skip(i, ANNOUNCED_LITERAL, n, is_sync);
        return refuse(i, IMAP_INPUT_LITERAL_TOO_BIG);
    }
    i->has_message = true;
    i->message_bytes = n;
    i->is_sync = is_sync;
    i->state = IMAP_AT_MESSAGE;
    return PARSE_DONE;
}

static parse line_done(imap_input *i)
{
    uint64_t n = 0;
    bool is_sync = true;
    size_t start = 0;
    str line = str_from(buf_str(&i->command), i->line_start);
    announced kind = literal_read(line, false, &n, &is_sync, &start);

    i->last_was_cr = false;
    if (kind == ANNOUNCED_NOTHING) {
        i->state = IMAP_AT_END;
        return PARSE_DONE;
    }
    if (kind == ANNOUNCED_LITERAL && is_append_message(i, i->line_start + start))
        return message_announced(i, n, is_sync);
    if (kind == ANNOUNCED_TOO_MUCH || n > i->limits.command_bytes || !buf_append(&i->command, STR("\r\n")) ||
        n > i->limits.command_bytes - i->command.n) {
        literal_skip(i, kind, n, is_sync);
        return refuse(i, IMAP_INPUT_LITERAL_TOO_BIG);
    }
    i->wants_continuation = is_sync;
    i->literal_left = n;
    i->line_start = i->command.n;
    i->state = n ? IMAP_IN_LITERAL : IMAP_IN_LINE;
    return PARSE_MORE;
}

static parse line_take(imap_input *i, str in, size_t *used)
{
    size_t n = str_find(in, '\n');
    bool has_end = n < in.n;
    str piece = str_upto(in, n);

    if ((i->last_was_cr && n > 0) || str_find(piece, '\r') + 1 < n || str_has(piece, '\0'))
        return line_refuse(i, piece, IMAP_INPUT_BAD_BYTE);
    if (n + has_end > i->limits.line_bytes - i->line_bytes || !buf_append(&i->command, piece))
        return line_refuse(i, piece, IMAP_INPUT_LINE_TOO_LONG);
    *used = n + has_end;
    i->line_bytes += *used;
    i->last_was_cr = n ? in.p[n - 1] == '\r' : i->last_was_cr;
    if (!has_end)
        return PARSE_MORE;
    i->command.n -= i->last_was_cr;
    return line_done(i);
}

static parse literal_take(imap_input *i, str in, size_t *used)
{
    *used = in.n < i->literal_left ? in.n : (size_t)i->literal_left;
    buf_append(&i->command, str_upto(in, *used)); /* line_done saw to it that it fits */
    i->literal_left -= *used;
    if (i->literal_left == 0) {
        i->line_start = i->command.n;
        i->state = IMAP_IN_LINE;
    }
    return PARSE_MORE;
}

static parse literal_pass(imap_input *i, str in, size_t *used)
{
    *used = in.n < i->literal_left ? in.n : (size_t)i->literal_left;
    i->literal_left -= *used;
    if (i->literal_left == 0)
        i->state = IMAP_SKIP_LINE;
    return PARSE_MORE;
}

static parse step(imap_input *i, str in, size_t *used)
{
    switch (i->state) {
    case IMAP_IN_LINE: return line_take(i, in, used);
    case IMAP_IN_LITERAL: return literal_take(i, in, used);
    case IMAP_SKIP_LITERAL: return literal_pass(i, in, used);
    case IMAP_SKIP_LINE: return line_skip(i, in, used);
    case IMAP_AT_MESSAGE:
    case IMAP_IN_MESSAGE:
    case IMAP_BEHIND_MESSAGE:
    case IMAP_AT_END: break;
    }
    assert(false); /* the command before was not finished */
    return PARSE_BAD;
}

parse imap_input_feed(imap_input *i, str in, size_t *used)
{
    parse p = PARSE_MORE;

    *used = 0;
    i->wants_continuation = false;
    while (p == PARSE_MORE && *used < in.n && !i->wants_continuation) {
        size_t n = 0;
        p = step(i, str_from(in, *used), &n);
        *used += n;
    }
    return p;
}

str imap_input_tag(const imap_input *i)
{
    imap_lexer l = { .in = buf_str(&i->command) };
    str tag;

    if (!imap_lex_tag(&l, &tag) || tag.n >= TAG_MAX || imap_lex_peek(&l) != ' ')
        return STR("*");
    return tag;
}

void imap_input_next(imap_input *i)
{
    if (i->command.p)
        secret_wipe(i->command.p, i->command.n);
    buf_clear(&i->command);
    if (i->command.capacity > KEPT_BYTES)
        buf_free(&i->command);
    if (i->state != IMAP_SKIP_LINE && i->state != IMAP_SKIP_LITERAL)
        i->state = IMAP_IN_LINE;
    i->line_bytes = i->line_start = 0;
    i->last_was_cr = i->has_message = i->is_sync = false;
    i->problem = IMAP_INPUT_FINE;
}

void imap_input_accept(imap_input *i)
{
    assert(i->state == IMAP_AT_MESSAGE);
    i->literal_left = i->message_bytes;
    i->state = i->literal_left ? IMAP_IN_MESSAGE : IMAP_BEHIND_MESSAGE;
}

void imap_input_refuse(imap_input *i)
{
    assert(i->state == IMAP_AT_MESSAGE);
    literal_skip(i, ANNOUNCED_LITERAL, i->message_bytes, i->is_sync);
}

/* Only the line end may follow; blanks before it are nobody's harm. */
static parse behind_message(imap_input *i, str in, size_t *used)
{
    for (size_t k = 0; k < in.n; k++) {
        char c = in.p[k];
        *used = k + 1;
        if (c == '\n') {
            i->state = IMAP_AT_END;
            return PARSE_DONE;
        }
        if (i->last_was_cr || (c != '\r' && c != ' ')) {
            *used = k;
            i->tail_n = 0;
            i->state = IMAP_SKIP_LINE;
            return refuse(i, IMAP_INPUT_BAD_BYTE);
        }
        i->last_was_cr = c == '\r';
    }
    return PARSE_MORE;
}

parse imap_input_message(imap_input *i, str in, str *piece, size_t *used)
{
    assert(i->state == IMAP_IN_MESSAGE || i->state == IMAP_BEHIND_MESSAGE);
    *used = 0;
    *piece = str_upto(in, 0);
    if (i->state == IMAP_BEHIND_MESSAGE)
        return behind_message(i, in, used);
    *used = in.n < i->literal_left ? in.n : (size_t)i->literal_left;
    *piece = str_upto(in, *used);
    i->literal_left -= *used;
    if (i->literal_left == 0)
        i->state = IMAP_BEHIND_MESSAGE;
    return PARSE_MORE;
}
