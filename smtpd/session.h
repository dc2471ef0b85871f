/* One SMTP session: a machine moved by lines, content and answers. Runs in: smtpd. A session lives until its stream ends; the
 * transaction's memory until the message is done or given up. */
#pragma once
#include "conf/networks.h"
#include "daemon/daemon.h"
#include "daemon/session_id.h"
#include "ipc/talk/meter.h"
#include "ipc/talk/policy.h"
#include "loop/stream.h"
#include "mail/address.h"
#include "proto/sasl.h"
#include "proto/smtp_command.h"
#include "proto/smtp_data.h"
#include "proto/smtp_params.h"
#include "smtpd/transcript.h"
#include "tls/stream.h"

typedef enum phase {
    PHASE_GREET = 1 << 0,  /* nothing was said yet */
    PHASE_HELLO = 1 << 1,
    PHASE_MAIL = 1 << 2,
    PHASE_RCPT = 1 << 3,
    PHASE_DATA = 1 << 4,   /* at least one recipient: DATA or more of them */
    PHASE_CONTENT = 1 << 5,
    PHASE_SASL = 1 << 6,
    PHASE_CLOSED = 1 << 7,
    PHASE_COMMANDS = PHASE_HELLO | PHASE_MAIL | PHASE_RCPT | PHASE_DATA,
} phase;

typedef struct reply {
    unsigned code;
    str status; /* enhanced code; empty: none */
    str words;
    unsigned classes; /* NOTICE_…: of an error that postmaster may want to know of */
} reply;

/* What a handler leaves behind. A reply of code 0: the answer of another process decides, or it was said already. */
typedef struct verdict {
    phase next;
    reply reply;
} verdict;

typedef enum waiting { /* for whose answer; input rests meanwhile */
    WAITING_NOT,
    WAITING_METER,
    WAITING_POLICY,
    WAITING_FILE, /* the queue file, at DATA */
    WAITING_ROOM, /* the same, within the content: it is larger than what is kept here */
    WAITING_COMMIT,
    WAITING_AUTH,
    WAITING_DELAY, /* a reply to a client with many errors */
} waiting;

typedef struct recipient {
    str address, original, transport, nexthop, orcpt, sender;
    uint32_t notify; /* NOTIFY_… */
    uint32_t command; /* of the accepted RCPTs, from 0: whose it is */
    fault result;     /* LMTP: the worst that was said */
    bool is_told;
    struct recipient *next;
} recipient;

typedef struct transaction {
    arena arena;
    str reverse_path;
    bool has_sender;
    smtp_params params;
    recipient *recipients, **last;
    recipient **decided; /* where the open question's begin, which count if it is answered with yes */
    uint32_t decided_count;
    uint32_t accepted; /* RCPT commands that were */
    uint32_t count;    /* final recipients */
    recipient **told;  /* LMTP, from the commit on: by number */
    bool has_results;
    smtp_params rcpt_params;
    unsigned policy_flags;
    peer *cleanup; /* NULL: not begun */
    uint32_t ref;
    int fd;        /* of the content; -1 */
    buf kept;      /* of the content, while there is no file */
    bool is_ended; /* all of it was read, and it waits for room */
    uint64_t queue_id, written;
    uint32_t checksum;
    smtp_data data;
    bool last_was_cr, is_too_big;
    fault fault; /* of writing */
} transaction;

enum { SESSION_SLOTS_MAX = 65536 };

typedef struct smtpd smtpd;

typedef struct session {
    smtpd *smtpd;
    listener *listener;
    str service; /* key in master.cf */
    generation *generation;
    const config *config;
    stream stream;
    arena arena;
    size_t slot;
    phase phase;
    waiting waiting;
    peer *asked;     /* whom */
    uint32_t ref;    /* of the question */
    policy_ask question; /* kept to ask again when policy was restarted */
    unsigned answer_classes; /* of its answer, if that is an error */
    void (*on_answer)(struct session *, const policy_answer *);
    void (*on_counted)(struct session *, bool is_allowed);
    enum meter_kind counting;
    str asked_for; /* recipient that is being counted */
    line_reader lines;
    char id[SESSION_ID_SIZE], client[64];
    str helo, login;
    char tls[96];
    sasl sasl;
    bool has_counted_tls;
    bool is_esmtp, is_metered, is_unlimited, is_local, is_trusted_newline; /* local: over a socket of the file system */
    unsigned errors, junk;
    unsigned policy_flags; /* of decisions that hold for the whole session */
    reply delayed;
    transcript transcript;
    timer life, delay; /* delay: of a reply, or of our patience with policy */
    transaction tx;
} session;

struct smtpd {
    process *process;
    VEC(session *) sessions; /* by slot; NULL: free */
    VEC(size_t) free_slots;
    uint32_t serial;
    session_ids ids;
    uint64_t session_count, accepted, refused;
    tls_context *tls;
    networks trusted, newline_exceptions, verp_clients; /* of the current generation */
};

/* session.c */
void session_open(listener *l, const accepted *a);
void session_greet(session *s); /* within the limits: the banner is due */
void session_write(session *s, const reply *r);      /* and nothing more */
void session_say(session *s, const reply *r);        /* counts errors; may delay or close */
void session_settle(session *s, verdict v);          /* the one place where a phase changes */
void session_wait(session *s, waiting what, peer *whom);
void session_resume(session *s);
session *session_by_ref(smtpd *d, uint32_t ref);
uint32_t session_ref(session *s);                    /* a fresh number for a question */
void session_close(session *s, const reply *last);
void session_drain(session *s); /* closes it when the process leaves, unless a message or an answer is under way */

/* verbs.c */
verdict session_command(session *s, const smtp_command *c);
bool session_knows(const session *s, const smtp_command *c); /* whether it begins with a verb of its protocol */

/* hello.c, mail.c, auth.c: handlers of verbs */
bool hello_offers(const session *s, const char *keyword); /* an extension that smtpd_discard_ehlo_keywords does not name */
bool hello_offers_verp(const session *s);
verdict on_helo(session *s, const smtp_command *c);
verdict on_ehlo(session *s, const smtp_command *c);
verdict on_starttls(session *s, const smtp_command *c);
verdict on_mail(session *s, const smtp_command *c);
verdict on_rcpt(session *s, const smtp_command *c);
verdict on_data(session *s, const smtp_command *c);
verdict on_rset(session *s, const smtp_command *c);
verdict on_vrfy(session *s, const smtp_command *c);
verdict on_auth(session *s, const smtp_command *c);
void auth_line(session *s, str line);

/* content.c */
size_t content_take(session *s, str bytes);
void content_has_room(session *s); /* a file, or a fault instead */

/* transaction.c */
void transaction_clear(session *s); /* gives up what was begun */
bool transaction_prepare(session *s); /* there is a recipient; false: no cleanup is there */
bool transaction_begin(session *s);   /* asks for a file */
void transaction_commit(session *s);
session *session_by_tx(smtpd *d, uint32_t ref); /* whose transaction it is; NULL: it is gone */
extern const talk cleanup_talk;
void cleanup_lost(peer *p);

/* lmtp.c: the end of data has one reply in SMTP, in LMTP one for each RCPT that was accepted, in their order (RFC 2033 4.2) */
enum { LMTP_RECIPIENTS_MAX = 1000, LMTP_OUTPUT_MAX = 4 * 1024 * 1024 };
bool is_lmtp(const session *s);
void lmtp_begin(session *s); /* at the commit: results are awaited */
bool lmtp_on_result(void *context, channel *ch, received *r);
void lmtp_results_say(session *s);
void end_of_data_say(session *s, reply r); /* one for all; the transaction is the caller's to clear */
reply result_reply(session *s, fault result, str words); /* words: of one that went well */

/* footer.c */
void footer_append(const session *s, buf *out); /* smtpd_reject_footer, its names filled in */

/* notice.c: what went wrong in a session, to bounce, for postmaster */
extern const talk notice_talk;
void notice_send(const session *s); /* at its end; nothing is sent when nothing is to be told */
/* Of a session in which a letter to postmaster comes back, none is written, or there would be no end to it. */
void notice_guard(session *s, str of); /* of: a sender or recipient */

/* ask.c */
reply policy_reply(const session *s, const policy_answer *a); /* of an answer that is to be said */
void policy_question(session *s, enum policy_stage stage, str to,
                     void (*then)(session *, const policy_answer *));
void policy_no_answer(session *s); /* patience is over: 451 */
extern const talk policy_talk;
void policy_opened(peer *p);
void policy_lost(peer *p);

/* meter.c: limits by client; nothing is asked where none is set */
void meter_question(session *s, void (*then)(session *, bool is_allowed)); /* of the connection */
void meter_forget(session *s);
void meter_count(session *s, enum meter_kind kind, void (*then)(session *, bool is_allowed));
void meter_uncount_tls(session *s);
str meter_words(session *s, const char *too_much); /* of the reply to one over a limit */
extern const talk meter_talk;
void meter_lost(peer *p);

extern const talk auth_talk;
void auth_lost(peer *p);
