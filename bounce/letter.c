/* Who a report goes to and from: to the sender from nobody, so that none comes back; copies for postmasters from the double-bounce
 * sender, whose failures qmgr drops. Runs in: bounce. */
#include "base/log.h"
#include "bounce/bounce.h"
#include "conf/list.h"
#include "queue/id.h"

static const config *config_of(const job *j)
{
    return daemon_config(j->bounce->process);
}

static bool has_class(const job *j, const char *class)
{
    return list_has(config_of(j)->notify_classes, str_c(class));
}

static bool is_double(const job *j)
{
    return j->begin.reverse_path.n == 0;
}

static letter letter_copy(const job *j)
{
    bool wants_it = is_double(j)                   ? has_class(j, "2bounce") || has_class(j, "bounce")
                    : j->kind == REPORT_OF_FAILURE ? has_class(j, "bounce")
                    : j->kind == REPORT_OF_DELAY   ? has_class(j, "delay")
                                                   : false;
    return wants_it ? LETTER_TO_POSTMASTER : LETTER_NONE;
}

letter letter_first(job *j)
{
    letter first = is_double(j) ? letter_copy(j) : LETTER_TO_SENDER;
    if (first != LETTER_NONE)
        return first;
    j->bounce->dropped++;
    log_event(LOG_WARNING, "double-bounce-dropped", LOG_C("id", queue_id_text(j->begin.queue_id).text),
              LOG_STR("to", j->rows[0].address), LOG_NUM("recipients", j->row_count),
              LOG_STR("reason", j->rows[0].reason),
              LOG_C("why", "it has no sender, and notify_classes has neither 2bounce nor bounce"));
    return LETTER_NONE;
}

letter letter_next(const job *j)
{
    return j->letter == LETTER_TO_SENDER ? letter_copy(j) : LETTER_NONE;
}

static str completed(job *j, str name)
{
    return str_has(name, '@') ? name
                              : arena_printf(&j->arena, "%.*s@%.*s", STR_ARG(name), STR_ARG(config_of(j)->myorigin));
}

/* A postmaster without a domain is this host's, whatever myorigin is (RFC 5321 4.5.1). */
str letter_postmaster(job *j, str name)
{
    return str_equal_nocase(name, STR("postmaster")) ? name : completed(j, name);
}

str letter_recipient(job *j)
{
    const config *c = config_of(j);
    if (j->letter == LETTER_TO_SENDER)
        return j->begin.reverse_path;
    return letter_postmaster(j, is_double(j)                 ? c->second_bounce_notice_recipient
                         : j->kind == REPORT_OF_DELAY ? c->delay_notice_recipient
                                                      : c->bounce_notice_recipient);
}

str letter_sender(job *j)
{
    return j->letter == LETTER_TO_SENDER ? STR("") : completed(j, config_of(j)->double_bounce_sender);
}

/* A name without a domain is this host's. */
str letter_from(job *j, str from)
{
    str words = template_text(j, from), name = str_upto(words, str_find(words, ' '));
    if (str_has(words, '@'))
        return words;
    return arena_printf(&j->arena, "%.*s@%.*s%.*s", STR_ARG(name), STR_ARG(config_of(j)->myorigin),
                        STR_ARG(str_from(words, name.n)));
}
