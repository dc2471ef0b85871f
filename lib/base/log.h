/* The log: events with fields, one line each, control bytes escaped. Lines are kept until log_flush (once per loop round) or
 * until LOG_ERROR, and go out in one write. Runs in every process; the descriptor comes from the supervisor.
 *
 *     log_event(LOG_INFO, "delivered", LOG_ID(id), LOG_STR("to", address), LOG_NUM("bytes", n)); */
#pragma once
#include "base/fault.h"

typedef enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR } log_level;
typedef enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON, LOG_FORMAT_SYSLOG } log_format;

typedef struct log_field {
    const char *name;
    str text;
    uint64_t number;
    bool is_number;
} log_field;

/* At most 23 fields; 1000 bytes of each value are shown. */
#define LOG_STR(name, s) ((log_field){ (name), (s), 0, false })
#define LOG_C(name, c) ((log_field){ (name), str_c(c), 0, false })
#define LOG_NUM(name, v) ((log_field){ (name), STR_NONE, (uint64_t)(v), true })
#define LOG_ID(s) LOG_STR("id", (s)) /* queue id */

/* `fd` stays the caller's. `process` is static: "smtpd". Without this call lines go to descriptor 2. */
void log_open(int fd, log_format format, const char *process, bool is_verbose);
void log_flush(void);

#define log_event(level, event, ...)                                                                                   \
    log_fields((level), (event), (log_field[]){ { 0 }, __VA_ARGS__ },                                                  \
               sizeof((log_field[]){ { 0 }, __VA_ARGS__ }) / sizeof(log_field))
void log_fields(log_level level, const char *event, const log_field *fields, size_t n); /* fields[0] is not used */

/* An event whose reason is a fault. */
void log_fault(log_level level, const char *event, fault f);
