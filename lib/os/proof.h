/* Tries what a confined process must not be able to do. Used by become() only. The tries run in forked children: the
 * first with the same filter until it dies of one, the next with one that decides the same and lets it live. An error, a SIGSYS and a
 * death count as refused. */
#pragma once
#include "base/fault.h"
#include "os/become.h"
#include "os/filter.h"

typedef struct proof_context {
    const contract *contract;
    const identity *identity;
    const filter *filter;
    unsigned families; /* of the contract and its workers */
    bool is_rooted;    /* chroot was done */
    bool has_landlock; /* for files */
    bool forbids_fork;
    char outside[64]; /* a file that no rule covers; "": none known */
} proof_context;

/* Chooses `outside`; before chroot and Landlock. */
void proof_prepare(proof_context *p, const landlock_rule *rules, size_t rule_count);

/* Fails: FAULT_BUG, "smtpd may still …: <what succeeded>". */
fault proof_run(const proof_context *p);
