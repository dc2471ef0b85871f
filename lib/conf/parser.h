/* The grammar of main.cf: logical lines, settings, and the expansion of $name. Views point into the arena given.
 * No I/O. Each mistake becomes a problem with file and line, and reading goes on behind it. */
#pragma once
#include "base/buf.h"
#include "conf/problems.h"

enum { CONFIG_FILE_MAX = 4 * 1024 * 1024, CONFIG_VALUE_MAX = 64 * 1024 };

/* Logical lines of main.cf and master.cf: a line that begins with white space continues the one before; comments and
 * empty lines may stand anywhere between. */
typedef struct line_part {
    size_t end; /* how much of the logical line has been reached behind it */
    unsigned line;
    const struct line_part *next;
} line_part;

typedef struct config_line_reader {
    str rest;
    unsigned next_line;
    arena *arena;
    const line_part *parts; /* the physical lines of the logical line that was read last */
} config_line_reader;

config_line_reader lines_of(str content, arena *a);

/* The next logical line, its parts joined by what white space they began with; *out_line is its first line's number.
 * False at the end. */
bool line_next(config_line_reader *r, str *out, unsigned *out_line);

typedef struct setting {
    str name, value; /* as written, not expanded */
    unsigned line;
    bool is_used; /* some $name or a service refers to it */
} setting;

typedef struct settings {
    VEC(setting) rows; /* in the order of the file; a name stands once, with its last value */
} settings;

void settings_read(str file, str content, arena *a, settings *out, problems *ps);
setting *setting_find(const settings *s, str name); /* NULL: not set */
void settings_free(settings *s);

/* Splits "name = value" or "name=value". False: not of that form. */
bool setting_split(str line, str *name, str *value);
