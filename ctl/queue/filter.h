/* Which messages a command of `postrider queue` means: options that say what they must be like; all that are given must fit.
 * Runs in: postrider. Its texts are views of the command line. */
#pragma once
#include "ctl/command.h"
#include "ctl/common/queue_view.h"

typedef struct queue_filter {
    /* as given; NULL: not */
    const char *older, *newer, *sender, *recipient, *destination, *status, *reason, *size, *login;
    /* as filter_read has it */
    uint64_t now_s, older_s, newer_s, size_least, size_most;
    uint32_t places;  /* a bit for each queue_place */
    bool is_set;      /* at least one was given */
    bool needs_files; /* rows alone do not tell */
} queue_filter;

#define FILTER_OPTIONS(f)                                                                                       \
    { "older", 0, NULL, &(f).older }, { "newer", 0, NULL, &(f).newer }, { "sender", 0, NULL, &(f).sender },     \
        { "recipient", 0, NULL, &(f).recipient }, { "destination", 0, NULL, &(f).destination },                 \
        { "status", 0, NULL, &(f).status }, { "reason", 0, NULL, &(f).reason }, { "size", 0, NULL, &(f).size }, \
    {                                                                                                           \
        "login", 0, NULL, &(f).login                                                                            \
    }

#define FILTER_USAGE                                                                                             \
    "[--older TIME] [--newer TIME] [--sender WHO] [--recipient WHO] [--destination WHERE] [--status PLACE,…] " \
    "[--reason TEXT] [--size [<|>]BYTES] [--login NAME]"

/* Takes the texts apart. FAULT_REFUSED: one of them is wrong. Without --status damaged messages fit only if `with_damaged`. */
fault filter_read(queue_filter *f, uint64_t now_s, bool with_damaged);

bool filter_fits_row(const queue_filter *f, const queue_row *r);     /* what rows tell */
bool filter_fits_entry(const queue_filter *f, const queue_entry *e); /* what files tell */

/* Of a message that fits: whether this recipient is one of those that are meant. */
bool filter_fits_recipient(const queue_filter *f, const envelope_recipient *r, const queue_slot *s);
