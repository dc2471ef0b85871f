/* How `postrider queue` shows messages, and how it changes those of a stopped suite. Runs in: postrider. */
#pragma once
#include "ctl/common/queue_entry.h"

/* queue_print.c: for a person */
void queue_line_print(const queue_entry *e, uint64_t now_s);
void queue_entry_print(const queue_entry *e, uint64_t now_s); /* all that is known of it */

/* queue_json.c: an object on one line */
void queue_json_print(const queue_entry *e);

/* queue_change.c: "hold", "release", "delete", "flush" of one id or ALL, while the suite does not run and cannot start. */
fault queue_change_stopped(const config *c, str verb, str id, size_t *out_count);
