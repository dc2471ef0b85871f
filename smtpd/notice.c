/* Tells bounce what went wrong in a session. Runs in: smtpd. Nobody waits for it: without bounce it is dropped, and logged. */
#include "base/log.h"
#include "conf/double_bounce.h"
#include "smtpd/session.h"

enum { UNREAD_BYTES_MAX = 1024 * 1024 /* of what a bounce that hangs has not taken */ };

const talk notice_talk = { "smtpd-bounce", NULL, 0, NULL };

static void put(const session *s, peer *to, unsigned classes)
{
    buf lines = buf_new(NOTICE_TRANSCRIPT_MAX);
    transcript_append(&s->transcript, &lines);
    notice_session m = { .session = str_c(s->id),
                         .client = str_c(s->client),
                         .helo = str_upto(s->helo, NOTICE_TEXT_MAX),
                         .login = str_upto(s->login, NOTICE_TEXT_MAX),
                         .service = str_upto(s->service, NOTICE_TEXT_MAX),
                         .reason = str_c(s->transcript.reason),
                         .transcript = buf_str(&lines),
                         .classes = classes };
    channel_put(&to->channel, NOTICE_SESSION, 0, notice_session, &m);
    buf_free(&lines);
}

void notice_guard(session *s, str of)
{
    if (is_double_bounce(s->config, of))
        transcript_free(&s->transcript);
}

void notice_send(const session *s)
{
    unsigned classes = transcript_due(&s->transcript);
    if (classes == 0)
        return;
    peer *to = daemon_peer(s->smtpd->process, "bounce");
    const char *why = to == NULL                                    ? "bounce is not there"
                      : to->channel.queued_bytes > UNREAD_BYTES_MAX ? "bounce does not read"
                                                                    : NULL;
    if (why)
        log_event(LOG_WARNING, "notice-dropped", LOG_C("session", s->id), LOG_C("client", s->client),
                  LOG_C("error", s->transcript.reason), LOG_C("reason", why));
    else
        put(s, to, classes);
}
