/* A message on its way from the queue file to wherever it is delivered. Runs in: workers of local and pipe. Nothing is allocated. */
#pragma once
#include "base/fault.h"
#include "ipc/talk/deliver.h"
#include "ipc/talk/envelope.h"

typedef struct content_sink {
    fault (*write)(void *context, str bytes);
    void *context;
} content_sink;

/* Looks for "Delivered-To: ADDRESS" in a header that comes in pieces. Start with the address, the rest zeroed. */
typedef struct loop_scan {
    str address;
    char line[600]; /* a longer one is none of ours */
    size_t n;
    bool is_over, is_found;
} loop_scan;

void loop_scan_feed(loop_scan *s, str piece);

/* Whether it comes from a copy that was made for this user, which has his mark on top already. The list of an alias has many users
 * behind one that acts for it: there the mark alone counts. */
bool content_was_forwarded(const deliver_request *m);

/* Return-Path and X-Original-To where it is delivered for good; Delivered-To, unless it is there since it was forwarded. */
fault front_write(const deliver_request *m, content_sink to, bool is_final);

/* The fields that cleanup added, then the content; what is read is what was acknowledged. Fails: FAULT_BROKEN: the queue file is
 * damaged; FAULT_REFUSED 5.4.6: it was delivered to this recipient before; what the sink says. What was written is to be undone. */
fault content_write(const deliver_request *m, int fd, content_sink to);
