/* smtpd tells bounce of a session in which an error of a class of notify_classes occurred: a letter to postmaster with what was said.
 * Nothing is answered: a notice that cannot be brought is logged and dropped. */
#pragma once
#include "ipc/message.h"

enum notice_type {
    NOTICE_SESSION = 1, /* notice_session */
};

/* Classes of errors that a session may have, with their words in notify_classes. */
#define NOTICE_CLASSES(X)                                                                    \
    X(BOUNCE, 1, "bounce")      /* mail was refused */                                       \
    X(DATA, 2, "data")          /* a table could not be looked up */                         \
    X(POLICY, 4, "policy")      /* refused by a restriction, a limit, a check of contents */ \
    X(PROTOCOL, 8, "protocol")  /* what is no SMTP */                                        \
    X(RESOURCE, 16, "resource") /* disk, memory */                                           \
    X(SOFTWARE, 32, "software") /* another process was away, or failed */

#define NOTICE_CLASS(name, bit, word) NOTICE_##name = (bit),
enum notice_class { NOTICE_CLASSES(NOTICE_CLASS) };
#undef NOTICE_CLASS

enum { NOTICE_TRANSCRIPT_MAX = 12 * 1024, NOTICE_TEXT_MAX = 400 };

#define NOTICE_SESSION_FIELDS(X)                                                                                      \
    X(text, session)                                                                                                  \
    X(text, client)                                                                                                   \
    X(text, helo)                                                                                                     \
    X(text, login)                                                                                                    \
    X(text, service)    /* key in master.cf */                                                                        \
    X(text, reason)     /* what was replied to the first error */                                                     \
    X(text, transcript) /* lines that end in LF, of at most NOTICE_TRANSCRIPT_MAX octets with what stands for gaps */ \
    X(u32, classes)     /* NOTICE_…: those that occurred and are to be told */
IPC_MESSAGE(notice_session, NOTICE_SESSION_FIELDS)
