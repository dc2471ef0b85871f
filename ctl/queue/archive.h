/* The file that `postrider queue export` makes: a ustar archive of queue files, PLACE/ID each, and behind them MANIFEST, whose lines
 * have the CRC-32C and size of each. postrider-queue(5) has it. The reader believes nothing: what it reads may be any bytes.
 * Runs in: postrider. */
#pragma once
#include "base/buf.h"
#include "base/fault.h"
#include "base/vec.h"
#include "queue/tree.h"

enum { ARCHIVE_BLOCK = 512, ARCHIVE_NAME_MAX = 100 };

/* Writing. */
typedef struct archive_writer {
    int fd;
    buf manifest;
    uint64_t count;
} archive_writer;

fault archive_begin(archive_writer *w, int fd, str host, uint64_t now_s);
fault archive_put(archive_writer *w, queue_place place, uint64_t id, int file_fd);
fault archive_end(archive_writer *w); /* the manifest, and it is whole; free in any case */
void archive_free(archive_writer *w);

/* Reading. */
typedef struct archive_member {
    queue_place place;
    uint64_t id, offset, bytes;
    uint32_t checksum; /* as the manifest has it */
} archive_member;

typedef struct archive {
    VEC(archive_member) members;
    buf manifest; /* views of it: host */
    str host;
    uint64_t made_s;
} archive;

/* Reads names, sizes and manifest of a regular file. FAULT_BROKEN: it is no export, or not whole. archive_close in any case. */
fault archive_open(archive *a, int fd);
void archive_close(archive *a);

/* Copies a member into `to_fd`, which is empty. FAULT_BROKEN: it is not what the manifest says. */
fault archive_copy(int fd, const archive_member *m, int to_fd);
