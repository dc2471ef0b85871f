/* What was said in a session, for a letter to postmaster. Runs in: smtpd. Commands and the first lines of replies, cut, in printable
 * ASCII; never content, never what follows AUTH. Of a long session the beginning and the end are kept, of messages that were accepted
 * nothing. The holder frees it. */
#pragma once
#include "base/buf.h"
#include "ipc/talk/notice.h"

enum {
    TRANSCRIPT_LINE_MAX = 240,
    TRANSCRIPT_BEGINNING = 2 * 1024,
    TRANSCRIPT_MAX = 5 * 1024,
    TRANSCRIPT_AT_REST_MAX = 512, /* of a session that waits for another message; larger only if its greeting is */
};

typedef struct transcript {
    char *p;          /* each line: 'I' or 'O', its text, LF */
    char *reason;     /* of the first error that is to be told; NULL: none */
    uint32_t dropped; /* lines between beginning and end */
    uint16_t n, size, beginning;
    uint16_t greeting;        /* what was said before the first MAIL */
    uint8_t wanted, occurred; /* NOTICE_… */
    bool may_have_secrets;
} transcript;

/* Of a session under these notify_classes; if none of them is of sessions, nothing is ever kept. */
void transcript_open(transcript *t, str notify_classes);
void transcript_free(transcript *t); /* from here on nothing is kept, and nothing is to be told */

/* `is_known`: it begins with a verb of ours; what else comes behind an AUTH or DATA may be a password or content that did not wait for
 * our reply. */
void transcript_command(transcript *t, str line, bool is_known);
void transcript_secret(transcript *t); /* a response within AUTH, or a line that cannot be shown */
void transcript_reply(transcript *t, unsigned code, str status, str words);
void transcript_error(transcript *t, unsigned classes, str reason);
void transcript_message_done(transcript *t); /* a message was accepted */

unsigned transcript_due(const transcript *t);          /* NOTICE_…: what is to be told; 0: nothing */
void transcript_append(const transcript *t, buf *out); /* at most NOTICE_TRANSCRIPT_MAX octets */
