/* A decision while it is made: facts, the chain so far, and the reply that will be given. Inside the engine only. */
#pragma once
#include "policy/engine/rules.h"

typedef enum outcome {
    OUTCOME_DUNNO,  /* the next restriction is looked at */
    OUTCOME_OK,     /* the next list is looked at */
    OUTCOME_REFUSE, /* the reply is given: 4NN or 5NN */
    OUTCOME_WAIT,   /* a user must be found first */
} outcome;

typedef struct reply {
    unsigned code;
    str status, text;
} reply;

enum { DECISION_DEPTH_MAX = 20 }; /* of restrictions that tables name */

typedef struct decision {
    const policy_rules *rules;
    const policy_facts *facts;
    arena *mem;
    VEC(policy_step) steps;
    list_id list;
    unsigned depth;
    bool only_warns; /* within what an entry names that was looked up behind warn_if_reject */
    reply reply;                    /* with OUTCOME_REFUSE */
    reply if_permit, if_reject;     /* code 0: nothing is deferred */
    unsigned flags;
    str waiting_for;
} decision;

struct restriction_kind {
    str name;
    bool has_table;
    bool is_warning;  /* warn_if_reject: the next one only warns */
    subject_id about; /* of those with a table */
    outcome (*check)(decision *d, const restriction *r);
};

extern const restriction_kind restriction_kinds[];
extern const size_t restriction_kind_count;
const restriction_kind *restriction_kind_find(str name); /* NULL: none */

/* One more link of the chain: what was evaluated, and the table it came from. */
void step_add(decision *d, str what, str from, str key, unsigned line, str result);

/* The last step is to be logged, by whoever asked for the decision. */
void step_note(decision *d, policy_note note, str words);

/* Refuses: code, status without class ("7.1"), and "<subject>: Recipient address rejected: " before the words. */
outcome refuse(decision *d, const restriction *r, subject_id about, unsigned code, const char *status, str words);
outcome refuse_with(decision *d, const restriction *r, reply with);

/* A table or user could not be looked up: 451 4.3.0; the fault stands in the chain only. */
outcome refuse_lookup(decision *d, const restriction *r, fault f);

/* "OK", "DUNNO" and the like, as the result of a restriction. */
outcome pass(decision *d, const restriction *r, outcome o);

/* "Client host rejected" and what it is about: "name[address]". */
str subject_text(const decision *d, subject_id about);

outcome restrictions_run(decision *d, const restrictions *list);

/* LMTP brings mail into the store for whoever may connect; whatever the lists permit, none of it goes on from here. */
outcome lmtp_check(decision *d);

/* Looks up what the kind is about in the table, and does what the entry says. */
outcome access_check(decision *d, const restriction *r);
