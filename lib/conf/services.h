/* master.cf: which services there are, where each listens and what it changes of main.cf. Views point into the arena
 * given. Each mistake becomes a problem with file and line; such a row is left out. */
#pragma once
#include "conf/problems.h"

typedef enum service_type { SERVICE_INET, SERVICE_UNIX } service_type;

/* What a row may run; the name of the role is that of the executable. */
typedef enum service_role {
    ROLE_SMTPD,
    ROLE_LOGIN,
    ROLE_CLEANUP,
    ROLE_QMGR,
    ROLE_POLICY,
    ROLE_LOCAL,
    ROLE_AUTH,
    ROLE_PAM,
    ROLE_IMAPD,
    ROLE_POP3D,
    ROLE_METER,
    ROLE_BOUNCE,
    ROLE_PIPE,
    ROLE_COUNT
} service_role;

typedef struct service_override {
    str name, value; /* value: as written, not expanded */
    unsigned line;
} service_override;

typedef struct service {
    str key;  /* "smtp/inet", "[::1]:587/inet", "qmgr/unix": what tells services apart */
    str name; /* the first column; of type unix that others connect to: a name in public/ of the queue, or a path */
    service_type type;
    service_role role;
    str host;      /* inet: "" for inet_interfaces, else an address or a host name, without brackets */
    uint16_t port; /* inet */
    bool is_private;
    uint64_t wakeup_s;     /* 0: never */
    bool wakeup_when_used; /* "300?": only once the service has been used */
    uint64_t process_max;  /* 0: default_process_limit; PROCESS_UNLIMITED */
    unsigned line;
    service_override *overrides;
    size_t override_count;
} service;

#define PROCESS_UNLIMITED UINT64_MAX
enum { SERVICE_COUNT_MAX = 1000 };

typedef struct services {
    VEC(service) rows; /* in the order of the file */
} services;

const char *role_name(service_role r);
bool role_find(str name, service_role *out);
bool role_is_inet(service_role r); /* smtpd and login take connections from the net; the others may not */
bool service_listens(const service *s); /* there is a socket that others connect to: by inet, or smtpd by unix */

/* A number from 1 to 65535 or the name of a mail service (smtp, submission, imaps, …). */
bool service_port(str name, uint16_t *out);

void services_read(str file, str content, arena *a, services *out, problems *ps);
void services_free(services *s);
