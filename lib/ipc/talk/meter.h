/* smtpd and login ask meter whether a client may go on; meter counts by address. `ref` pairs question and answer. */
#pragma once
#include "ipc/message.h"

enum meter_type {
    METER_OPEN = 1, /* meter_event: a connection; answered; it counts until its CLOSE, also when it is refused */
    METER_CLOSE,    /* meter_event: it ended, refused or not; not answered; service and address as in OPEN */
    METER_ANSWER,   /* meter_answer */
};

#define METER_EVENT_FIELDS(X)                                                                                          \
    X(text, service)                                                                                                   \
    X(text, client_address)                                                                                            \
    X(u32, count_limit) /* connections at once; 0: none */                                                             \
    X(u32, rate_limit)  /* connections per time unit; 0: none */                                                       \
    X(u32, rate_unit_s)
IPC_MESSAGE(meter_event, METER_EVENT_FIELDS)

#define METER_ANSWER_FIELDS(X)                                                                                         \
    X(u32, is_allowed)                                                                                                 \
    X(u32, count)                                                                                                      \
    X(u32, rate)
IPC_MESSAGE(meter_answer, METER_ANSWER_FIELDS)
