/* File names of a Maildir: "time.unique.host,S=size,W=size:2,flags". The part up to ':' is the base name: it is the
 * message's identity, whoever renames the file. No I/O. */
#pragma once
#include "base/buf.h"

enum { MAILDIR_NAME_MAX = 255 };

typedef struct maildir_name {
    str base;       /* views into the name */
    str letters;    /* behind ":2,"; empty when there is no such part */
    uint64_t time_s; /* the first number; 0 when it is none */
    uint32_t flags, keywords; /* message_flag; bit 0 is 'a' */
    uint32_t stored_bytes, wire_bytes; /* SIZE_UNKNOWN: not told */
    bool is_ours;   /* written by this suite: its S= can be held against the file */
} maildir_name;

/* False: no message's name (empty, too long, begins with a dot, has a slash or a NUL). Of doubled letters one
 * counts; letters without a meaning here are kept by maildir_name_write. */
bool maildir_name_read(str name, maildir_name *out);

/* The name under which `base` stands in cur/ with these flags; `letters` is what its name has now. */
void maildir_name_write(str base, str letters, uint32_t flags, uint32_t keywords, buf *out);

/* A base name without sizes, never given before: time, microseconds, process, counter and random bits. `host` may be
 * anything. */
void maildir_name_new(uint64_t time_us, uint32_t pid, uint32_t counter, uint32_t random, str host, buf *out);
void maildir_name_sizes(buf *base, uint64_t stored_bytes, uint64_t wire_bytes);
