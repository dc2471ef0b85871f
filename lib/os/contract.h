/* What a process may do, stated once, at the top of its main.c. become() applies it and proves it (CONFINEMENT).
 * A contract is const and static; what depends on the host (ids, folders, ports) stands in `identity` (os/become.h). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

typedef enum root_dir {
    ROOT_HOST,   /* "/" stays: Landlock and permissions are the walls */
    ROOT_EMPTY,  /* a folder with nothing in it */
    ROOT_QUEUE,  /* the queue's folder */
    ROOT_TABLES, /* configuration and tables */
    ROOT_USERS,  /* the user database */
    ROOT_CERTS,  /* the CA store */
} root_dir;

/* Families of system calls. */
typedef enum call_family {
    CALLS_LOOP = 1 << 0,       /* epoll, read, write, memory, clock, signals, exit */
    CALLS_ACCEPT = 1 << 1,     /* accept4 on listeners that were handed over */
    CALLS_RECEIVE = 1 << 2,    /* recvmsg with descriptors, sendmsg, socketpair (AF_UNIX) */
    CALLS_CONTENT = 1 << 3,    /* pread, pwrite, fsync, sendfile on descriptors that were handed over */
    CALLS_READ_FILES = 1 << 4, /* open to read, stat, list */
    CALLS_FILES = 1 << 5,      /* create, rename, remove, lock; never by path: chmod, chown, utimes, xattr */
    CALLS_INOTIFY = 1 << 6,    /* watch folders */
    CALLS_LMDB = 1 << 7,       /* map files, msync, locks */
    CALLS_CONNECT = 1 << 8,    /* socket(AF_INET*, SOCK_STREAM) and connect; ports: identity.connect_ports */
    CALLS_RESOLVE = 1 << 9,    /* UDP and TCP to name servers */
    CALLS_UNIX = 1 << 10,      /* socket(AF_UNIX) and connect, bind, listen */
    CALLS_THREADS = 1 << 11,   /* threads, not processes */
    CALLS_SPAWN = 1 << 12,     /* fork, exec, wait; change of ids only with is_spawner */
    CALLS_MODULES = 1 << 13,   /* map code from files later on: PAM's modules; never memory that was written */
    CALLS_LEASE = 1 << 14,     /* ask whether a file of its own is open elsewhere */
    CALLS_TOGETHER = 1 << 15,  /* file_sync_all: fsyncs side by side */
    CALLS_COMMIT = 1 << 16,    /* commit a file system as a whole */
    CALLS_ANY = 1 << 17,       /* all but what is denied to everyone: master, and the spawner of users' programs */
} call_family;

/* Bits of `contract.caps`. */
enum {
    CAPS_NONE = 0,
    CAPS_SETUID = 1 << 0,
    CAPS_SETGID = 1 << 1,
    CAPS_CHROOT = 1 << 2,
    CAPS_SETPCAP = 1 << 3,
    CAPS_BIND = 1 << 4,
    CAPS_KILL = 1 << 5,
    CAPS_READ_SEARCH = 1 << 6,
    CAPS_CHOWN = 1 << 7,
    CAPS_SPAWNER = CAPS_SETUID | CAPS_SETGID | CAPS_CHROOT
};

typedef enum root_access { /* what Landlock lets it do beneath its root; more folders: identity.rules */
                           FILES_NONE,
                           FILES_READ,
                           FILES_WRITE,
                           FILES_UNLIMITED, /* no rules for files: master */
} root_access;

typedef struct process_limits { /* 0: as inherited */
    uint64_t open_files;
    uint64_t memory_bytes; /* private writable memory (RLIMIT_DATA); not applied in sanitized builds */
    uint64_t file_bytes;   /* the largest file it may write */
} process_limits;

typedef struct contract {
    const char *role; /* names the executable, the uid and the log lines */
    root_dir root;
    unsigned caps;          /* CAPS_…; 0: none */
    unsigned calls;         /* CALLS_… */
    unsigned worker_calls;  /* of the children that it execs: they inherit its filter, so it must let these pass too */
    bool is_spawner;        /* may change ids, only within identity's ranges; is not root itself */
    bool has_default_privs; /* a spawner that may also become the account of default_privs */
    root_access files;
    process_limits limits; /* processes: none unless CALLS_SPAWN, CALLS_THREADS or CALLS_ANY; core files: never */
    const char *peers;     /* conversations it may hold, each with a descriptor from master */
} contract;
