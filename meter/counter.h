/* Counts by client: connections now, and what it does over time. Runs in: meter. Bounded: clients without a connection
 * are forgotten when the table is full; past that a client is not counted, which lets it pass. The holder owns it:
 * counter_free. */
#pragma once
#include "base/map.h"
#include "base/source.h"

enum { COUNTER_CLIENTS_MAX = 100000, COUNTER_SERVICE_MAX = 64 };

typedef struct counter {
    map clients; /* "smtp/inet" NUL source → counted */
    size_t max;
    uint64_t swept_ms;
} counter;

/* What one process has open, so that it can be taken back when the process dies. */
typedef struct holder {
    map open; /* the same keys → how many */
} holder;

typedef struct count_limits {
    uint32_t count, rate, rate_unit_s; /* 0: none */
} count_limits;

typedef struct count_answer {
    bool is_allowed;
    uint32_t count, rate; /* with this connection */
} count_answer;

/* Whose events, and which of them. */
typedef struct counted_by {
    str service, address;
    uint32_t kind; /* meter_kind */
    uint32_t v4_bits, v6_bits;
} counted_by;

/* `max` 0: COUNTER_CLIENTS_MAX. */
counter counter_new(size_t max);
void counter_free(counter *c);

/* A connection begins. It counts, also when it is refused, until counter_close. `now_ms` is monotonic. */
count_answer counter_open(counter *c, holder *h, const counted_by *by, const count_limits *limits, uint64_t now_ms);

/* It ended. What this holder has not opened changes nothing. */
void counter_close(counter *c, holder *h, const counted_by *by);

/* Something that has no end: its rate alone. */
count_answer counter_add(counter *c, const counted_by *by, const count_limits *limits, uint64_t now_ms);
void counter_undo(counter *c, const counted_by *by); /* the last of these was none */

/* The process is gone: all that it had open has ended. */
void counter_close_all(counter *c, holder *h);
