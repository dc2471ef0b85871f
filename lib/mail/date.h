/* Dates of mail: RFC 5322 3.3 and 4.3, IMAP's INTERNALDATE and SEARCH dates (RFC 3501 9). No clock, no zone files: the
 * caller gives both. Runs everywhere. Fails: PARSE_BAD; whole values only, PARSE_MORE is never said. */
#pragma once
#include "base/buf.h"
#include "base/parse.h"

typedef struct date {
    int64_t utc_s;    /* since 1970, may be negative */
    int zone_minutes; /* east of UTC, -1439 … 1439 */
} date;

/* The Date: field, tolerantly: comments, folds, missing day name, seconds or zone, zones by name (EST, unknown ones are
 * UTC), years of two and three digits, dashes between day, month and year, the asctime order. Years 1 to 9999. */
parse date_parse(str text, date *out);

/* "dd-Mon-yyyy hh:mm:ss +zzzz" without its quotes; the day may be one digit or padded with a blank. */
parse date_parse_internal(str text, date *out);

/* "d-Mon-yyyy" of SEARCH, quoted or not: days since 1970. */
parse date_parse_day(str text, int64_t *out_days);

/* The calendar day in the date's own zone, in days since 1970: what SENTSINCE and its like compare. */
int64_t date_day(date d);

bool date_append(buf *out, date d);          /* "Thu, 1 Jan 1970 00:00:00 +0000" */
bool date_append_internal(buf *out, date d); /* " 1-Jan-1970 00:00:00 +0000": 26 bytes, no quotes */
bool date_append_mbox(buf *out, date d);     /* "Thu Jan  1 00:00:00 1970", the asctime form of a From line */
