/* The processes of the suite, said once: what each needs from master, and who talks with whom. Runs in: master. */
#pragma once
#include "conf/config.h"

typedef enum role_root { ROOT_IS_EMPTY, ROOT_IS_QUEUE, ROOT_IS_DROP, ROOT_IS_USERS, ROOT_IS_HOST } role_root;

enum {
    ROLE_HAS_WORKER = 1,   /* gets the descriptor of its worker's executable */
    ROLE_HAS_KEYS = 2,     /* gets certificate and private key */
    ROLE_HAS_SERVICES = 4, /* gets the inet listeners of master.cf that name it */
    ROLE_REPLACED = 8,     /* a reload starts it anew: what it may read depends on the configuration */
    ROLE_WITH_CHECKS = 16, /* the same while tables are configured that it opens itself */
};

/* The order of a stop. Who is asked goes when nobody is left to ask. */
typedef enum role_rank { RANK_TAKES, RANK_MAKES_DURABLE, RANK_QUEUES, RANK_DELIVERS, RANK_ANSWERS, RANKS } role_rank;

typedef struct role {
    const char *name; /* executable, account, log lines */
    role_root root;
    unsigned flags;
    const char *local_socket; /* in public/; NULL: none */
    unsigned account;         /* offset in a numeric process_users */
    role_rank rank;
    size_t (*count)(const parsed *p, size_t cpus);
} role;

typedef struct role_link {
    const char *a, *b;
} role_link;

extern const role roles[];
extern const size_t role_count;
extern const role_link role_links[];
extern const size_t role_link_count;

bool role_is_replaced(const role *r, const parsed *p); /* by a reload to this configuration */

const role *role_by_name(const char *name);
size_t role_index(const role *r);
