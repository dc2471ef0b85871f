#include "login/exchange.h"

void exchange_end(session *s)
{
    sasl_close(&s->sasl);
    s->is_in_sasl = false;
}

static void on_step(session *s, sasl_step step)
{
    switch (step) {
    case SASL_CHALLENGE:
        session_reply(s, "+ %.*s\r\n", STR_ARG(s->sasl.challenge));
        break;
    case SASL_FINISHED:
        session_log_in(s, &s->sasl.credentials);
        exchange_end(s);
        break;
    case SASL_CANCELLED:
        exchange_end(s);
        s->dialect->sasl_failed(s, "Authentication cancelled.");
        break;
    case SASL_BROKEN:
        exchange_end(s);
        s->dialect->sasl_failed(s, "That is no correct response.");
        session_count_error(s);
        break;
    }
}

void exchange_start(session *s, str tag, const char *verb, sasl_mechanism mechanism, str initial)
{
    session_note_command(s, tag, verb);
    s->is_in_sasl = true;
    s->lines = line_reader_new(EXCHANGE_LINE_MAX, true);
    on_step(s, sasl_start(&s->sasl, mechanism, initial));
}

size_t exchange_input(session *s, str in, bool *is_whole)
{
    str line;
    size_t used = 0;
    parse p = line_read(&s->lines, in, &line, &used);
    *is_whole = p != PARSE_MORE;
    if (p == PARSE_DONE) {
        on_step(s, sasl_respond(&s->sasl, line));
    } else if (p == PARSE_BAD) { /* the rest of such a line must not be read as a command */
        exchange_end(s);
        s->dialect->bye(s, "That is no line.");
        session_finish(s, "a broken line in an exchange");
    }
    return used;
}
