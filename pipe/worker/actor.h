/* pipe-worker's state: it acts as one user for members of aliases and of his .forward. Several commands may run at a time; files
 * and lists are done at once. Runs in: pipe-worker, which has become the user. */
#pragma once
#include "base/arena.h"
#include "base/vec.h"
#include "ipc/talk/deliver.h"
#include "ipc/talk/program.h"
#include "pipe/worker/letter.h"
#include "worker/worker.h"

typedef struct letter_job { /* of a file or a list: the request, kept */
    uint32_t ref;
    int fd;
    arena arena;
    deliver_request request;
    VEC(deliver_member) members; /* of a list */
    bool is_of_file; /* its failure: any other message for the file would meet it now */
    struct letter_job *next;
} letter_job;

typedef struct actor {
    worker *worker;
    arena rules_arena;
    program_rules rules;
    bool has_rules;
    struct run *runs; /* commands that run */
    /* file.c: one at a time, as the locks of a process do not hold against itself */
    letter_job *files, **files_last;
    uint32_t attempts; /* for the lock of the first one */
    timer again;
    task serve;
    /* list.c: copies that wait for a PAPER */
    letter_job *copies;
} actor;

/* actor.c: what pipe says, and what it hears. The result of a request: `reason` may be longer than a fault's text */
extern const talk_row actor_rows[];
extern const size_t actor_row_count;
void actor_answer(actor *a, uint32_t ref, uint64_t queue_id, fault outcome, str reason, bool is_destination);
void request_keep(const deliver_request *m, arena *a, deliver_request *out);
letter_job *letter_job_new(uint32_t ref, const deliver_request *m, int fd); /* takes fd */
void letter_job_end(actor *a, letter_job *j, fault outcome, const char *done); /* answers, frees */
void letter_job_free(letter_job *j);

/* command.c: takes fd; answers when the command has ended, or at once when it cannot be started */
void command_run(actor *a, uint32_t ref, const deliver_request *m, int fd);
void commands_kill(actor *a);

/* file.c: takes fd; appends to an mbox file, or delivers to a Maildir when the name ends in a slash */
void files_start(actor *a);
void file_put(actor *a, uint32_t ref, const deliver_request *m, int fd);
void files_leave(actor *a); /* what waits for a lock is tried later */

/* list.c: takes fd; the members of the list become recipients of a copy */
void list_read(actor *a, uint32_t ref, const deliver_request *m, int fd);
bool list_on_paper(void *context, channel *ch, received *r);
