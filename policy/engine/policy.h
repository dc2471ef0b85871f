/* The decision: what happens to a client, a HELO, a sender, a recipient, a message. A function of rules, facts and
 * tables, with its reasons. Runs in: policy, and `postrider explain` through the same call. No I/O but look-ups in
 * tables and of users. Rules own what they were compiled into; a verdict lives in the caller's arena. A table or user
 * that cannot be looked up defers (451 4.3.0); it never refuses, never accepts. */
#pragma once
#include "conf/parameters.h"
#include "conf/problems.h"
#include "db/table.h"
#include "ipc/talk/policy.h"
#include "policy/engine/resolve.h"

/* Compiles the rules of one service. `service` is for the problems: "smtp/inet". Errors are in *ps, among them every
 * configuration that would let a stranger relay; tables that cannot be opened are warnings, as their look-ups defer.
 * NULL: there was an error. What `c` and `world` point to must outlive the rules. */
policy_rules *policy_compile(const config *c, str service, const policy_world *world, problems *ps);
void policy_free(policy_rules *rules);

typedef struct policy_facts {
    enum policy_stage stage;
    str client_name;    /* verified, or "unknown" */
    str client_address; /* without brackets */
    str helo;
    str sender;         /* without angle brackets; empty with has_sender: the null sender */
    bool has_sender;
    str recipient;      /* without angle brackets; one at POLICY_STAGE_RCPT, VRFY and RESOLVE */
    str login;
    str tls;
    uint64_t message_bytes;
} policy_facts;

/* What the log is to say of a step, too. */
typedef enum policy_note { NOTE_NONE, NOTE_WARNING, NOTE_INFO, NOTE_WOULD_REFUSE } policy_note;

/* One thing that was evaluated. Texts are empty where they do not apply. */
typedef struct policy_step {
    str list;        /* smtpd_relay_restrictions, …; "resolve" for where mail goes */
    str restriction; /* as written: "check_client_access hash:/etc/x" */
    str table, key;  /* the entry that was found */
    unsigned line;   /* of the table's source; 0: not known */
    str result;      /* "OK", "DUNNO", "REJECT 554 5.7.1 …", … */
    policy_note note;
    str words; /* with a note */
} policy_step;

typedef struct policy_verdict {
    unsigned code;    /* 250, 252 (VRFY), 4NN, 5NN; 0: waiting */
    str status;       /* "5.7.1"; empty with 25x */
    str reply;        /* the words, in one line of printable bytes */
    str reason;       /* of the step that decided: "list/restriction/table/key" */
    unsigned flags;   /* POLICY_HOLD, POLICY_DISCARD */
    policy_step *steps;
    size_t step_count;
    route *routes;    /* of an accepted recipient */
    size_t route_count;
    str waiting_for;  /* p is not NULL: this user must be found first; decide again when it is known */
} policy_verdict;

/* POLICY_STAGE_RESOLVE looks for the recipient's routes alone; POLICY_STAGE_VRFY never says if an address exists. */
void policy_decide(const policy_rules *rules, const policy_facts *facts, arena *mem, policy_verdict *out);

/* The chain for a person: one line for each step. */
str policy_explain(const policy_verdict *v, arena *mem);
