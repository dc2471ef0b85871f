/* What is executed for "|command": split at blanks where that does what a shell would do, else /bin/sh -c. Runs in: pipe-worker. */
#pragma once
#include "base/arena.h"

typedef struct command_words {
    char **argv;      /* ends in NULL */
    const char *path; /* absolute, or with a slash: relative to the home directory */
} command_words;

/* As Postfix does it: a shell only for its own characters, and for a name that no folder of the path has (a builtin may be
 * meant). Texts live in the arena. */
command_words words_read(str command, arena *a);
