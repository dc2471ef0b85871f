/* bounce's state: reports that are being made. Runs in: bounce, which sees failure texts, and messages through descriptors, and names
 * no file. A job lives until qmgr was told how it went. */
#pragma once
#include "base/refs.h"
#include "base/vec.h"
#include "daemon/daemon.h"
#include "ipc/talk/cleanup.h"
#include "ipc/talk/report.h"
#include "mail/report_template.h"

typedef struct bounce bounce;

/* What a job still has to bring, in this order: to the sender, then a copy for a postmaster. */
typedef enum letter { LETTER_TO_SENDER, LETTER_TO_POSTMASTER, LETTER_NONE } letter;

typedef struct job {
    bounce *bounce;
    peer *qmgr; /* NULL: it is gone, and asks again when it is back */
    uint32_t qmgr_ref, ref;
    arena arena;
    report_begin begin;
    report_recipient *rows;
    uint32_t row_count; /* those that came */
    int fd;             /* the message */
    report_kind kind;
    letter letter;
    peer *cleanup; /* it has been asked; NULL: not yet */
    uint64_t report_id;
    str session; /* of a notice, which is a job without rows: what it is about; else empty */
} job;

struct bounce {
    process *process;
    report_templates templates;
    refs jobs;
    uint64_t reported, copied, dropped;
    unsigned notices; /* on their way */
};

/* templates.c */
void templates_load(
    bounce *b); /* before confinement; a file with a mistake is logged, and the built-in ones are used */
str template_text(job *j, str text); /* filled in, in the job's arena */

/* ask.c: qmgr's requests */
extern const talk qmgr_talk;
job *job_new(bounce *b);
void job_free(job *j);
void job_end(job *j, fault outcome); /* tells qmgr, frees */
void jobs_qmgr_lost(peer *p);

/* bring.c: a job's letters, one after the other, to cleanup */
extern const talk cleanup_talk;
void bring_start(job *j); /* its rows are all there */
void bring_lost(peer *p);

/* notice.c: smtpd's sessions with errors */
extern const talk notice_talk;
void notice_end(job *j, fault outcome, uint64_t id); /* logs, frees */

/* letter.c: who gets it, who it comes from */
letter letter_first(job *j);
letter letter_next(const job *j); /* after one that is queued */
str letter_recipient(job *j);
str letter_sender(job *j); /* of the envelope */
str letter_postmaster(job *j, str name); /* with its domain, unless it is postmaster itself */
str letter_from(job *j, str from);       /* of a template: for the field */

/* compose.c: writes the report to a descriptor, in CRLF */
typedef struct composed {
    uint64_t bytes;
    uint32_t checksum;
    uint32_t flags; /* ENVELOPE_… */
} composed;
fault compose(job *j, uint64_t id, int to, composed *out);
