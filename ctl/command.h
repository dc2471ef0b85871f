/* The postrider command: each subcommand is a row, with its options as rows. Runs as whoever calls it. Words for a person go to
 * the error output, what was asked for to the output. Exit statuses stand in postrider(8). */
#pragma once
#include "conf/config.h"
#include <sysexits.h>

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_NOT_RUNNING = 3 };

typedef struct invocation {
    const char *name; /* "queue list" */
    const char *usage;
    const char *directory; /* of the configuration */
    int argc;              /* operands; argv[argc] is NULL */
    char **argv;           /* before options_take argv[0] is the command's name, after it the first operand */
    parsed parsed;         /* after command_config */
} invocation;

typedef struct command {
    const char *name, *usage, *help;
    int (*run)(invocation *in);
} command;

/* Finds argv[0] among the rows and runs it; `of` is "postrider" or "postrider queue", for messages. */
int command_run(const command *rows, size_t count, const char *of, invocation *in);

typedef struct option_row {
    const char *name; /* long */
    char letter;      /* 0: none */
    bool *flag;       /* one of these two */
    const char **value;
} option_row;

/* Takes the options off; operands are left in argc and argv, at least `least` and at most `most`. False: it said what is wrong. */
bool options_take(invocation *in, const option_row *rows, size_t count, int least, int most);

/* Reads the configuration into in->parsed. NULL: it said why; the exit status is EX_CONFIG. `must_be_right`: any error will do. */
const config *command_config(invocation *in, bool must_be_right);

/* Says a fault and returns the exit status for it. */
int command_fault(const invocation *in, fault f);
int command_usage(const invocation *in); /* EX_USAGE */
