/* The parameters of main.cf (conf/parameters.def) as rows and as `struct config`, with a typed field for each under its
 * own name. Texts of a config end in a NUL that n does not count; they live in the arena that the value was read into. */
#pragma once
#include "base/arena.h"
#include "base/fault.h"
#include "base/log.h"

#ifndef DEFAULT_CONFIG_DIRECTORY
#define DEFAULT_CONFIG_DIRECTORY "/etc/postrider"
#endif
#ifndef DEFAULT_DAEMON_DIRECTORY
#define DEFAULT_DAEMON_DIRECTORY "/usr/libexec/postrider"
#endif
#ifdef POSTRIDER_BDB
#define DEFAULT_DATABASE_TYPE "hash"
#else
#define DEFAULT_DATABASE_TYPE "lmdb"
#endif

enum { IP_ALL, IP_V4, IP_V6 };
enum { TLS_LEVEL_NONE, TLS_LEVEL_MAY, TLS_LEVEL_ENCRYPT };
enum { BARE_NEWLINE_REJECT, BARE_NEWLINE_NORMALIZE, BARE_NEWLINE_ALLOW };
enum { LOGIN_IMAP, LOGIN_POP3 };
enum { PROTOCOL_SMTP, PROTOCOL_LMTP };

/* The words of each choice: W(parameter, word, what the field holds then). */
#define PARAMETER_WORDS(W)                                            \
    W(inet_protocols, "all", IP_ALL)                                  \
    W(inet_protocols, "ipv4", IP_V4)                                  \
    W(inet_protocols, "ipv6", IP_V6)                                  \
    W(smtpd_tls_security_level, "none", TLS_LEVEL_NONE)               \
    W(smtpd_tls_security_level, "may", TLS_LEVEL_MAY)                 \
    W(smtpd_tls_security_level, "encrypt", TLS_LEVEL_ENCRYPT)         \
    W(smtpd_forbid_bare_newline, "reject", BARE_NEWLINE_REJECT)       \
    W(smtpd_forbid_bare_newline, "normalize", BARE_NEWLINE_NORMALIZE) \
    W(smtpd_forbid_bare_newline, "yes", BARE_NEWLINE_NORMALIZE)       \
    W(smtpd_forbid_bare_newline, "no", BARE_NEWLINE_ALLOW)            \
    W(smtpd_protocol, "smtp", PROTOCOL_SMTP)                          \
    W(smtpd_protocol, "lmtp", PROTOCOL_LMTP)                          \
    W(login_protocol, "imap", LOGIN_IMAP)                             \
    W(login_protocol, "pop3", LOGIN_POP3)                             \
    W(log_format, "text", LOG_FORMAT_TEXT)                            \
    W(log_format, "json", LOG_FORMAT_JSON)                            \
    W(log_format, "syslog", LOG_FORMAT_SYSLOG)

typedef enum parameter_kind {
    PARAMETER_text,
    PARAMETER_raw,
    PARAMETER_number,
    PARAMETER_seconds,
    PARAMETER_hours, /* as seconds, but a number without a unit means hours */
    PARAMETER_days,  /* ... or days */
    PARAMETER_bytes,
    PARAMETER_flag,
    PARAMETER_choice,
} parameter_kind;

#define CONFIG_TYPE_text str
#define CONFIG_TYPE_raw str
#define CONFIG_TYPE_number uint64_t
#define CONFIG_TYPE_seconds uint64_t
#define CONFIG_TYPE_hours uint64_t
#define CONFIG_TYPE_days uint64_t
#define CONFIG_TYPE_bytes uint64_t
#define CONFIG_TYPE_flag bool
#define CONFIG_TYPE_choice unsigned

/* What a process reads its parameters from: c->smtpd_timeout (in seconds), c->myhostname, c->soft_bounce. */
typedef struct config {
#define GROUP(title)
#define X(kind, name, value, least, most, help) CONFIG_TYPE_##kind name;
#include "conf/parameters.def"
#undef X
} config;

typedef enum parameter_index {
#define X(kind, name, value, least, most, help) AT_##name,
#include "conf/parameters.def"
#undef X
#undef GROUP
    PARAMETER_COUNT
} parameter_index;

typedef struct parameter {
    str name;
    parameter_kind kind;
    str value; /* the default, as main.cf would have it */
    uint64_t least, most;
    const char *help;
    size_t offset; /* of its field in a config */
} parameter;

typedef struct parameter_word {
    parameter_index of;
    str word;
    unsigned value;
} parameter_word;

extern const parameter parameter_rows[PARAMETER_COUNT];
extern const parameter_word parameter_words[];
extern const size_t parameter_word_count;

/* The title of the group that begins with this row; NULL elsewhere. */
const char *parameter_group(parameter_index index);

const parameter *parameter_find(str name); /* NULL: no such parameter */

/* The known name that `name` was probably meant to be. False: none is near. */
bool parameter_nearest(str name, str *out);

/* Checks an expanded value and sets its field of *out; texts are copied into `a`. The fault says what is wrong. */
fault parameter_read(const parameter *p, str value, arena *a, config *out);

/* A field by its number; of a text or raw parameter. */
static inline str config_text(const config *c, parameter_index at)
{
    return *(const str *)(const void *)((const char *)c + parameter_rows[at].offset);
}

/* A field by its number; of a number, seconds, hours, days or bytes. */
static inline uint64_t config_number(const config *c, parameter_index at)
{
    return *(const uint64_t *)(const void *)((const char *)c + parameter_rows[at].offset);
}

/* What it is for and what values it takes, as main.cf(5) and `postrider config --help` have it; lines end in LF but the last. */
str parameter_text(const parameter *p, arena *a);

/* What values are allowed, for messages and the man page: "a time from 1s to 1d", "yes or no", "one of none, may". */
str parameter_range(const parameter *p, arena *a);
