/* Every reply that smtpd says by itself, once, with the classes of notify_classes (NOTICE_…) that it is an error of. */
#pragma once
#include "smtpd/session.h"

#define REPLIES(R)                                                                                                                 \
    R(OK, 250, "2.0.0", 0, "Ok")                                                                                                   \
    R(SENDER_OK, 250, "2.1.0", 0, "Ok")                                                                                            \
    R(RCPT_OK, 250, "2.1.5", 0, "Ok")                                                                                              \
    R(BYE, 221, "2.0.0", 0, "Bye")                                                                                                 \
    R(START_DATA, 354, "", 0, "End data with <CR><LF>.<CR><LF>")                                                                   \
    R(START_TLS, 220, "2.0.0", 0, "Ready to start TLS")                                                                            \
    R(CANNOT_VRFY, 252, "2.0.0", 0, "Cannot VRFY user, but will take messages for it")                                             \
    R(HELP, 214, "2.0.0", 0, "Commands: HELO EHLO MAIL RCPT DATA RSET NOOP VRFY HELP QUIT STARTTLS AUTH")                          \
    R(LOGGED_IN, 235, "2.7.0", 0, "Authentication successful")                                                                     \
    R(GOING_DOWN, 421, "4.3.2", 0, "Service shutting down, try again later")                                                       \
    R(TOO_MANY_CONNECTIONS, 421, "4.7.0", NOTICE_POLICY, "Too many connections from your address")                                 \
    R(TOO_MANY_SESSIONS, 421, "4.3.2", 0, "All server ports are busy, try again later")                                            \
    R(TOO_MANY_ERRORS, 421, "4.7.0", NOTICE_PROTOCOL, "Too many errors")                                                           \
    R(QUEUE_UNKNOWN, 421, "4.3.0", NOTICE_SOFTWARE, "Queue service restarted, whether the message was queued is not known")        \
    R(TOO_LONG_SILENCE, 421, "4.4.2", 0, "Timeout exceeded")                                                                       \
    R(TOO_LONG_SESSION, 421, "4.4.2", 0, "Session lasted too long")                                                                \
    R(TOO_MUCH_MEMORY, 421, "4.3.0", NOTICE_RESOURCE, "Session uses too much memory")                                              \
    R(NO_POLICY, 451, "4.3.0", NOTICE_SOFTWARE, "Temporary lookup failure")                                                        \
    R(NO_QUEUE, 451, "4.3.0", NOTICE_SOFTWARE, "Queue is not available, try again later")                                          \
    R(TOO_MANY_RECIPIENTS, 452, "4.5.3", NOTICE_POLICY, "Too many recipients")                                                     \
    R(NO_SPACE, 452, "4.3.1", NOTICE_RESOURCE, "Insufficient system storage")                                                      \
    R(NO_AUTH, 454, "4.7.0", NOTICE_SOFTWARE, "Temporary authentication failure")                                                  \
    R(NO_TLS, 454, "4.7.0", NOTICE_POLICY, "TLS not available")                                                                    \
    R(UNKNOWN, 500, "5.5.2", NOTICE_PROTOCOL, "Command not recognized")                                                            \
    R(LINE_TOO_LONG, 500, "5.5.2", NOTICE_PROTOCOL, "Line too long")                                                               \
    R(LINE_NOT_CLEAN, 500, "5.5.2", NOTICE_PROTOCOL, "Line has a bare CR, a bare LF or a NUL")                                     \
    R(SYNTAX, 501, "5.5.4", NOTICE_PROTOCOL, "Syntax error in arguments")                                                          \
    R(CANCELLED, 501, "5.7.0", 0, "Authentication cancelled")                                                                      \
    R(BAD_BASE64, 501, "5.5.2", NOTICE_PROTOCOL, "Malformed authentication input")                                                 \
    R(SWITCHED_OFF, 502, "5.5.1", NOTICE_POLICY, "VRFY command is disabled")                                                       \
    R(SEQUENCE, 503, "5.5.1", NOTICE_PROTOCOL, "Bad sequence of commands")                                                         \
    R(HELO_FIRST, 503, "5.5.1", NOTICE_PROTOCOL, "Send HELO or EHLO first")                                                        \
    R(LHLO_FIRST, 503, "5.5.1", NOTICE_PROTOCOL, "Send LHLO first")                                                                \
    R(NO_RECIPIENTS_LMTP, 503, "5.5.1", NOTICE_PROTOCOL, "No valid recipients")                                                    \
    R(AUTH_TWICE, 503, "5.5.1", NOTICE_PROTOCOL, "Already authenticated")                                                          \
    R(NO_MECHANISM, 504, "5.5.4", NOTICE_PROTOCOL, "Unrecognized authentication mechanism")                                        \
    R(NEEDS_TLS, 530, "5.7.0", NOTICE_POLICY, "Must issue a STARTTLS command first")                                               \
    R(AUTH_NEEDS_TLS, 538, "5.7.11", NOTICE_POLICY, "Encryption required for requested authentication mechanism")                  \
    R(BAD_CREDENTIALS, 535, "5.7.8", 0, "Authentication credentials invalid")                                                      \
    R(BARE_NEWLINE, 550, "5.5.2", NOTICE_BOUNCE | NOTICE_PROTOCOL, "Message has a bare CR or LF: lines must end in CR LF")         \
    R(TOO_BIG, 552, "5.3.4", NOTICE_BOUNCE | NOTICE_POLICY, "Message size exceeds fixed limit")                                    \
    R(BAD_SENDER, 501, "5.1.7", NOTICE_PROTOCOL, "Bad sender address syntax")                                                      \
    R(BAD_RECIPIENT, 501, "5.1.3", NOTICE_PROTOCOL, "Bad recipient address syntax")                                                \
    R(NO_RECIPIENTS, 554, "5.5.1", NOTICE_PROTOCOL, "No valid recipients")                                                         \
    R(BAD_PARAMETER, 501, "5.5.4", NOTICE_PROTOCOL, "Bad parameter")                                                               \
    R(UNKNOWN_PARAMETER, 555, "5.5.4", NOTICE_PROTOCOL, "Unsupported parameter")                                                   \
    R(NEEDS_UTF8, 553, "5.6.7", NOTICE_PROTOCOL, "Address needs SMTPUTF8, which is not offered")

#define REPLY_ROW(name, code, status, classes, words) REPLY_##name,
typedef enum reply_name { REPLIES(REPLY_ROW) REPLY_COUNT } reply_name;
#undef REPLY_ROW

reply reply_of(reply_name name);
#define REPLY_LATER ((reply){ 0 })
