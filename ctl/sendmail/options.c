#include "ctl/sendmail/options.h"
#include "ipc/talk/envelope.h"
#include <ctype.h>
#include <getopt.h>

enum { TEXT_MAX = 1000, ENVELOPE_ID_MAX = 100 }; /* RFC 3461 4.4 */

static fault usage(const char *what, const char *value)
{
    return fault_make(FAULT_REFUSED, "5.4", "%s: %.60s", what, value);
}

static bool is_one_line(const char *value)
{
    for (const char *c = value; *c; c++)
        if ((unsigned char)*c < ' ' && *c != '\t')
            return false;
    return true;
}

/* A line end in it could begin a header field, or a command. */
static fault text_take(const char *option, const char *value, size_t max, str *out)
{
    *out = str_c(value);
    if (!is_one_line(value))
        return fault_make(FAULT_REFUSED, "5.4", "control characters in %s", option);
    return out->n > max ? fault_make(FAULT_REFUSED, "5.4", "%s is longer than %zu octets", option, max) : NO_FAULT;
}

static const struct mode_row {
    char letter;
    sendmail_mode mode;
} modes[] = { { 'm', MODE_DELIVER }, { 's', MODE_SMTP }, { 'p', MODE_LIST }, { 'i', MODE_ALIASES } };

static fault mode_take(const char *value, sendmail_options *o)
{
    for (size_t i = 0; i < COUNT_OF(modes); i++)
        if (value[0] == modes[i].letter && value[1] == '\0') {
            o->mode = modes[i].mode;
            return NO_FAULT;
        }
    if (value[0] == 'd' || value[0] == 'D')
        return usage("the suite is started with \"postrider start\", not with -b", value);
    return usage("no such mode: -b", value);
}

static const struct notify_row {
    const char *word;
    uint32_t bit;
} notify_words[] = {
    { "never", NOTIFY_NEVER }, { "success", NOTIFY_SUCCESS }, { "failure", NOTIFY_FAILURE }, { "delay", NOTIFY_DELAY }
};

static fault notify_take(const char *value, sendmail_options *o)
{
    str rest = str_c(value), word;
    o->notify = 0;
    while (str_word(&rest, ", ", &word)) {
        size_t i = 0;
        while (i < COUNT_OF(notify_words) && !str_equal_nocase(word, str_c(notify_words[i].word)))
            i++;
        if (i == COUNT_OF(notify_words))
            return usage("-N takes never, or some of success, failure, delay, not", value);
        o->notify |= notify_words[i].bit;
    }
    bool is_mixed = (o->notify & NOTIFY_NEVER) && o->notify != NOTIFY_NEVER;
    return o->notify == 0 || is_mixed ? usage("-N takes never, or some of success, failure, delay, not", value)
                                      : NO_FAULT;
}

static fault returns_take(const char *value, sendmail_options *o)
{
    if (str_equal_nocase(str_c(value), STR("full")))
        o->returns = STR("FULL");
    else if (str_equal_nocase(str_c(value), STR("hdrs")))
        o->returns = STR("HDRS");
    else
        return usage("-R takes full or hdrs, not", value);
    return NO_FAULT;
}

static fault body_take(const char *value, sendmail_options *o)
{
    o->is_8bit = str_equal_nocase(str_c(value), STR("8BITMIME"));
    return o->is_8bit || str_equal_nocase(str_c(value), STR("7BIT")) ? NO_FAULT
                                                                     : usage("-B takes 7BIT or 8BITMIME, not", value);
}

/* -q: all; -qI and an id: that message; -qR and a site: what goes there; -qS: all, as there is no order by sender. */
static fault flush_take(const char *value, sendmail_options *o)
{
    if (o->mode == MODE_DELIVER)
        o->mode = MODE_FLUSH;
    if (value && isdigit((unsigned char)value[0]))
        return usage("the suite is started with \"postrider start\", not with -q", value);
    if (value && value[0] == 'I')
        o->flush_id = str_c(value + 1);
    if (value && value[0] == 'R')
        return text_take("the site (-qR)", value + 1, TEXT_MAX, &o->flush_site);
    return NO_FAULT;
}

static fault sender_take(const char *value, sendmail_options *o)
{
    o->has_sender = true;
    return text_take("the sender (-f)", value, TEXT_MAX, &o->sender);
}

/* Sendmail's -X names a log file, and is taken; Postfix's -XV asks for a return path for each recipient. */
static fault verp_take(const char *value, sendmail_options *o)
{
    if (value[0] != 'V')
        return NO_FAULT;
    o->has_verp = true;
    o->verp = str_c(value + 1);
    return o->verp.n == 0 || o->verp.n == 2 ? NO_FAULT : usage("-XV takes two delimiters, not", value + 1);
}

/* Of the -o options i alone means something here; all others are settings of Sendmail's own. */
static fault option_take(int letter, const char *value, sendmail_options *o)
{
    switch (letter) {
    case 't': o->reads_header = true; break;
    case 'i': o->ignores_dot = true; break;
    case 'o': o->ignores_dot = o->ignores_dot || value[0] == 'i'; break;
    case 'C': o->directory = value; break;
    case 'f':
    case 'r': return sender_take(value, o);
    case 'F': return text_take("the full name (-F)", value, TEXT_MAX, &o->full_name);
    case 'b': return mode_take(value, o);
    case 'I': o->mode = MODE_ALIASES; break;
    case 'q': return flush_take(value, o);
    case 'N': return notify_take(value, o);
    case 'R': return returns_take(value, o);
    case 'V': return text_take("the envelope id (-V)", value, ENVELOPE_ID_MAX, &o->envelope_id);
    case 'B': return body_take(value, o);
    case 'X': return verp_take(value, o);
    default: break;
    }
    return NO_FAULT;
}

fault sendmail_options_read(int argc, char **argv, sendmail_options *out)
{
    /* Taken and of no effect: A G L O U X (but -XV) c d e h m n p v x. */
    static const char letters[] = ":A:B:C:F:GIL:N:O:R:UV:X:b:cd::e:f:h:imno:p:q::r:tvx";
    fault f = NO_FAULT;
    int letter;
    *out = (sendmail_options){ .mode = MODE_DELIVER };
    optind = 0;
    while (!is_fault(f) && (letter = getopt(argc, argv, letters)) != -1) {
        char name[] = { '-', (char)optopt, '\0' };
        if (letter == '?' || letter == ':')
            return usage(letter == '?' ? "no such option" : "a value is missing behind", isprint(optopt) ? name : "-?");
        f = option_take(letter, optarg, out);
    }
    out->recipients = argv + optind;
    out->recipient_count = argc - optind;
    return f;
}
