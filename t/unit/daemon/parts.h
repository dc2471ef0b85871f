/* A process put together by hand, for tests of the skeleton's parts: a loop, a generation, no control conversation. */
#pragma once
#include "conf/config.h"
#include "daemon/control.h"
#include "daemon/peers.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

static inline void parts_open(process *d, const program *p, const char *main_cf)
{
    parsed read;
    int fd = -1;
    str master_cf = STR("meter unix - - - - - meter\npolicy unix - - - - - policy\ncleanup unix - - - - - cleanup\n"
                        "qmgr unix - - - - 1 qmgr\nlocal unix - - - - - local\nsmtp inet n - - - - smtpd\n");
    *d = (process){ .program = p, .loop = loop_new(), .log_fd = -1, .identity = { .root_fd = -1 } };
    assert_true(config_parse(STR("/etc/x"), STR("mx.example.com"), str_c(main_cf), master_cf, &read));
    assert_false(is_fault(snapshot_seal(&read, 1, &fd)));
    parsed_free(&read);
    assert_false(is_fault(daemon_generation_load(d, fd)));
    close(fd);
}

static inline void parts_close(process *d)
{
    generation_release(d->current);
    loop_free(d->loop);
}
