/* The conversation with cleanup over public/submit, waited for: begin, content by the descriptor that comes, envelope, done.
 * Runs in: sendmail. The holder closes it, which gives up a message that is not committed. */
#pragma once
#include "base/fault.h"
#include "conf/config.h"
#include "ctl/sendmail/recipients.h"
#include "ipc/talk/envelope.h"

typedef struct submit_state submit_state;

typedef struct submit {
    submit_state *state;
    int fd; /* for the content; -1: not begun */
} submit;

/* FAULT_TRY_LATER: the suite is down, or cannot take it now. */
fault submit_open(submit *s, const config *c, uint64_t expected_bytes);

fault submit_finish(submit *s, const envelope *e, const recipients *to, uint32_t notify, uint64_t bytes,
                    uint32_t checksum, uint64_t *out_id);
void submit_close(submit *s);
