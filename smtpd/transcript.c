#include "smtpd/transcript.h"
#include "base/memory.h"
#include "conf/list.h"
#include "proto/sasl.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    GROWTH = 64,
    REST = TRANSCRIPT_AT_REST_MAX,
    GAP = 1024, /* left out at once, so that a flood of lines does not move all of it for each */
};

/* A line is shown with four octets more than it has here, and a command with its reply has at least nine. */
_Static_assert(NOTICE_TRANSCRIPT_MAX >= 2 * TRANSCRIPT_MAX + TRANSCRIPT_LINE_MAX, "what is kept can be told");
_Static_assert(TRANSCRIPT_MAX > TRANSCRIPT_BEGINNING + GAP + 2 * TRANSCRIPT_LINE_MAX, "there is room for an end");

void transcript_open(transcript *t, str notify_classes)
{
    static const struct {
        str word;
        uint8_t bit;
    } rows[] = {
#define ROW(name, bit, word) { STR_ROW(word), bit },
        NOTICE_CLASSES(ROW)
#undef ROW
    };
    *t = (transcript){ 0 };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (list_has(notify_classes, rows[i].word))
            t->wanted |= rows[i].bit;
}

void transcript_free(transcript *t)
{
    free(t->p);
    free(t->reason);
    *t = (transcript){ 0 };
}

/* The length of whole lines of at least `least` octets from `at` on; all, when there are not so many. */
static size_t lines_length(const transcript *t, size_t at, size_t least, uint32_t *out_count)
{
    size_t n = 0;
    *out_count = 0;
    while (at + n < t->n && n < least) {
        n += str_find((str){ t->p + at + n, t->n - at - n }, '\n') + 1;
        ++*out_count;
    }
    return n;
}

/* Lines of at least `least` octets behind the beginning. */
static void middle_drop(transcript *t, size_t least)
{
    uint32_t count;
    size_t gone = lines_length(t, t->beginning, least, &count), from = t->beginning + gone;
    memmove(t->p + t->beginning, t->p + from, t->n - from);
    t->n = (uint16_t)(t->n - gone);
    t->dropped += count;
}

static uint16_t beginning_of(const transcript *t)
{
    uint32_t count;
    return (uint16_t)lines_length(t, 0, TRANSCRIPT_BEGINNING, &count);
}

static void room_make(transcript *t, size_t bytes)
{
    while (t->n + bytes > TRANSCRIPT_MAX) {
        t->beginning = t->beginning ? t->beginning : beginning_of(t);
        middle_drop(t, GAP);
    }
    if (t->n + bytes <= t->size)
        return;
    size_t size = (t->n + bytes + (size_t)t->n / 2 + GROWTH - 1) / GROWTH * GROWTH;
    t->size = (uint16_t)(size < TRANSCRIPT_MAX ? size : TRANSCRIPT_MAX);
    t->p = memory_resize(t->p, t->size, 1);
}

/* Control characters, and what is no ASCII, are question marks: the text goes into a letter of 7 bits. */
static void clean_copy(char *to, str from)
{
    for (size_t i = 0; i < from.n; i++)
        to[i] = (char)(from.p[i] >= ' ' && from.p[i] < 127 ? from.p[i] : '?');
}

static void line_add(transcript *t, char direction, str text)
{
    str shown = str_upto(text, TRANSCRIPT_LINE_MAX);
    str tail = text.n > shown.n ? STR("...\n") : STR("\n");
    if (t->wanted == 0)
        return;
    room_make(t, 1 + shown.n + tail.n);
    t->p[t->n] = direction;
    clean_copy(t->p + t->n + 1, shown);
    memcpy(t->p + t->n + 1 + shown.n, tail.p, tail.n);
    t->n = (uint16_t)(t->n + 1 + shown.n + tail.n);
}

/* The mechanism is shown if it is one: it may as well be a password. */
static void auth_add(transcript *t, str line)
{
    char text[64];
    str rest = str_from(line, 4), mechanism;
    bool is_one = str_word(&rest, " \t", &mechanism) && sasl_mechanism_find(mechanism) != SASL_NONE;
    bool has_more = !is_one || str_trim(rest).n;
    snprintf(text, sizeof text, "AUTH%s%.*s%s", is_one ? " " : "", is_one ? (int)mechanism.n : 0,
             is_one ? mechanism.p : "", has_more ? " <hidden>" : "");
    line_add(t, 'I', str_c(text));
    t->may_have_secrets = true;
}

void transcript_command(transcript *t, str line, bool is_known)
{
    str text = str_trim(line);
    if (str_starts_nocase(text, STR("AUTH"))) {
        auth_add(t, text);
        return;
    }
    if (t->may_have_secrets && !is_known) {
        transcript_secret(t);
        return;
    }
    if (t->greeting == 0 && str_starts_nocase(text, STR("MAIL")))
        t->greeting = beginning_of(t);
    t->may_have_secrets = t->may_have_secrets || str_starts_nocase(text, STR("DATA"));
    line_add(t, 'I', text);
}

void transcript_secret(transcript *t)
{
    line_add(t, 'I', STR("<hidden>"));
    t->may_have_secrets = true;
}

/* Of a reply of several lines the first. */
void transcript_reply(transcript *t, unsigned code, str status, str words)
{
    char text[TRANSCRIPT_LINE_MAX + 8];
    str first = str_trim(str_upto(words, str_find(words, '\n')));
    snprintf(text, sizeof text, "%u %.*s%s%.*s", code, STR_ARG(status), status.n ? " " : "", STR_ARG(first));
    line_add(t, 'O', str_c(text));
}

void transcript_error(transcript *t, unsigned classes, str reason)
{
    t->occurred |= (uint8_t)classes;
    if (t->reason || (classes & t->wanted) == 0)
        return;
    str shown = str_upto(reason, TRANSCRIPT_LINE_MAX);
    t->reason = memory_get(shown.n + 1);
    clean_copy(t->reason, shown);
}

/* If all went well so far, it is as if the session began anew. */
void transcript_message_done(transcript *t)
{
    if (transcript_due(t) || t->greeting == 0)
        return;
    t->beginning = t->greeting;
    middle_drop(t, t->n);
    if (t->size <= REST)
        return;
    t->size = t->n > REST ? t->n : REST;
    t->p = memory_resize(t->p, t->size, 1);
}

unsigned transcript_due(const transcript *t)
{
    return t->occurred & t->wanted;
}

static void gap_append(const transcript *t, buf *out)
{
    if (t->dropped)
        buf_printf(out, "... %u lines are left out ...\n", (unsigned)t->dropped);
}

void transcript_append(const transcript *t, buf *out)
{
    str rest = { t->p, t->n }, line;
    size_t beginning = t->beginning;
    while (rest.n && str_cut(&rest, '\n', &line)) {
        assert(line.n > 0);
        buf_append(out, line.p[0] == 'I' ? STR("In:  ") : STR("Out: "));
        buf_append(out, str_from(line, 1));
        buf_append_char(out, '\n');
        if (beginning && (size_t)(line.p + line.n + 1 - t->p) == beginning)
            gap_append(t, out);
    }
}
