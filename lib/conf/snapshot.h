/* A configuration as bytes: master encodes what it loaded and hands each process a sealed memfd; the process decodes it,
 * trusting nothing. The same configuration gives the same bytes. The decoded snapshot owns its memory.
 *
 *     snapshot s;
 *     if (!is_fault(snapshot_open(fd, &s))) … config_for_service(&s, STR("smtp/inet"))->smtpd_timeout */
#pragma once
#include "base/buf.h"
#include "base/parse.h"
#include "conf/config.h"

enum { SNAPSHOT_MAX = 16 * 1024 * 1024 };

typedef struct snapshot_service {
    str key, name, host; /* as in struct service */
    service_type type;
    service_role role;
    uint16_t port;
    bool is_private, wakeup_when_used;
    uint64_t wakeup_s, process_max;
    config config; /* with its -o */
} snapshot_service;

typedef struct snapshot {
    arena arena;
    uint64_t generation;
    config base;
    snapshot_service *services; /* in the order of master.cf */
    size_t service_count;
} snapshot;

/* Appends to *out. False: larger than out->max. */
bool snapshot_encode(const parsed *p, uint64_t generation, buf *out);

/* PARSE_BAD: not a snapshot of this build; nothing to free then. Nothing of *out points into `bytes`. */
parse snapshot_decode(str bytes, snapshot *out);
void snapshot_free(snapshot *s);

const snapshot_service *snapshot_service_find(const snapshot *s, str key); /* NULL: no such service */
const config *config_for_service(const snapshot *s, str key);              /* the base when there is no such service */

/* A sealed memfd that holds the encoded configuration; close-on-exec. */
fault snapshot_seal(const parsed *p, uint64_t generation, int *out_fd);

/* Decodes from a descriptor made by snapshot_seal; the descriptor stays the caller's. FAULT_BUG when it is not sealed or
 * not right. */
fault snapshot_open(int fd, snapshot *out);
