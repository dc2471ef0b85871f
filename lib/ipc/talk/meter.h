/* smtpd and login ask meter whether a client may go on; meter counts by address. `ref` pairs question and answer. */
#pragma once
#include "ipc/message.h"

enum meter_type {
    METER_OPEN = 1, /* meter_event: a connection; answered; it counts until its CLOSE, also when it is refused */
    METER_CLOSE,    /* meter_event: it ended, refused or not; not answered; service and address as in OPEN */
    METER_ANSWER,   /* meter_answer */
    METER_COUNT,    /* meter_event: something else that it did, by its rate alone; answered */
    METER_UNCOUNT,  /* meter_event: the last of these was none; not answered */
};

enum meter_kind { METER_CONNECTIONS, METER_MESSAGES, METER_RECIPIENTS, METER_TLS_SESSIONS, METER_AUTHS, METER_KINDS };

#define METER_EVENT_FIELDS(X)                                                                                          \
    X(text, service)                                                                                                   \
    X(text, client_address)                                                                                            \
    X(u32, kind)        /* meter_kind, which are counted apart */                                                      \
    X(u32, v4_bits)     /* a network of that size is one client; 0: 32 */                                              \
    X(u32, v6_bits)     /* 0: 64 */                                                                                    \
    X(u32, count_limit) /* connections at once; 0: none */                                                             \
    X(u32, rate_limit)  /* connections per time unit; 0: none */                                                       \
    X(u32, rate_unit_s)
IPC_MESSAGE(meter_event, METER_EVENT_FIELDS)

#define METER_ANSWER_FIELDS(X)                                                                                         \
    X(u32, is_allowed)                                                                                                 \
    X(u32, count)                                                                                                      \
    X(u32, rate)
IPC_MESSAGE(meter_answer, METER_ANSWER_FIELDS)
