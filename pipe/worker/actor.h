/* pipe-worker's state: it acts as one user for members of aliases and of his .forward. Several commands may run at a time; files
 * and lists are done at once. Runs in: pipe-worker, which has become the user. */
#pragma once
#include "base/arena.h"
#include "ipc/talk/deliver.h"
#include "ipc/talk/program.h"
#include "pipe/worker/letter.h"
#include "worker/worker.h"

typedef struct actor {
    worker *worker;
    arena rules_arena;
    program_rules rules;
    bool has_rules;
    struct run *runs; /* commands that run */
} actor;

/* main.c: the result of a request; `reason` may be longer than a fault's text */
void actor_answer(actor *a, uint32_t ref, uint64_t queue_id, fault outcome, str reason);

/* command.c: takes fd; answers when the command has ended, or at once when it cannot be started */
void command_run(actor *a, uint32_t ref, const deliver_request *m, int fd);
void commands_kill(actor *a);
