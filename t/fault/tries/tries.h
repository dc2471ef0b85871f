/* Attempts at what the process table forbids, made in each process's place: a daemon is linked once more with its loop wrapped, and
 * when the test says so it tries everything from where a taken-over process would. What came of each attempt stands in a page that
 * is shared with the test (t/fault/sandbox.py knows the layout) and outlives the process: an attempt may be answered by death. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PAGE_TEXT = 256, PAGE_ROWS = 160 };

typedef enum outcome { NOT_TRIED, BEGUN, REFUSED, DOES_NOT_APPLY, KILLED, SUCCEEDED } outcome;

typedef struct page_row {
    char name[56];
    int32_t outcome, error;
} page_row;

typedef struct page {
    volatile uint32_t go; /* the test's: begin */
    volatile int32_t pid; /* who tries now */
    volatile uint32_t next, is_done, count;
    int32_t sibling;      /* a process beside this one */
    uint32_t sibling_uid, is_chrooted;
    char queue[PAGE_TEXT];       /* a folder of messages */
    char others_mail[PAGE_TEXT]; /* a file in another user's mail folder */
    char key[PAGE_TEXT];        /* the private key */
    char users[PAGE_TEXT];      /* the user file */
    char socket[PAGE_TEXT];     /* where another process listens */
    page_row rows[PAGE_ROWS];
} page;

/* What a role may do by the process table, not by its contract: who loosens the contract turns the test red. */
enum {
    SPAWNS = 1 << 0, /* root-less spawner: processes, ids of users, chroot; sees what everybody may see */
    WRITES = 1 << 1, /* has a folder of its own */
    QUEUE = 1 << 2,
    USERS = 1 << 3,
    SYSTEM = 1 << 4, /* reads /etc with shadow, and asks local name services: the helper for PAM */
    MASTER = 1 << 5,
    WORKER = 1 << 6,
    PROGRAMS = 1 << 7, /* runs what users wish: all but other ids, other processes and the kernel's wide doors */
};

typedef struct attempt {
    const char *name;
    unsigned spared; /* who may do it */
    bool (*succeeds)(const page *p);
} attempt;

extern const attempt id_attempts[], file_attempts[], net_attempts[], process_attempts[], kernel_attempts[];
extern const size_t id_attempt_count, file_attempt_count, net_attempt_count, process_attempt_count, kernel_attempt_count;

/* The n-th of all; NULL behind the last. */
const attempt *attempt_at(size_t n);

/* Any answer but a refusal means that the kernel looked at the arguments: the call was let in. */
bool was_let_in(long result);

/* The shared page at a path, seen from a folder's descriptor; NULL: none. Not confined yet. */
page *page_open(int folder_fd, const char *path);

/* One attempt, its outcome into the row. */
void row_try(page *p, page_row *row, const attempt *a, unsigned role);

/* The next attempts, until one ends the process or all are made. */
void tries_run(page *p, unsigned role);
