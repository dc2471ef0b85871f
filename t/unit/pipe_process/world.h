/* pipe and everybody whom it talks with (t/unit/daemon/deliveries.h). Without root: default_privs is whoever runs the test. */
#pragma once
#include "pipe/pipe.h"
typedef carrier deliverer;
#include "t/unit/daemon/deliveries.h"

static void world_begin(void)
{
    carrier *c = &w->state;
    w->generation.snapshot.base = (config){ .default_privs = STR("nobody"),
                                            .minimum_uid = 1000,
                                            .maximum_uid = 60000,
                                            .command_expansion_filter = STR("abc"),
                                            .recipient_delimiter = STR("+"),
                                            .command_time_limit = 77,
                                            .mailbox_size_limit = 1000,
                                            .deliver_lock_attempts = 3,
                                            .deliver_lock_delay = 2,
                                            .stale_lock_time = 500,
                                            .mailbox_delivery_lock = STR("dotlock, fcntl"),
                                            .allow_mail_to_commands = STR("alias, forward"),
                                            .allow_mail_to_files = STR("alias") };
    c->process = c->pool.process = &w->process;
    c->process->current = &w->generation;
    c->desk.on_end = workers_copy_ended;
    c->finder = (finder){ .process = &w->process, .on_found = jobs_user_found };
    assert_true(accounts_load(c));
}

static void auth_opened(peer *p)
{
    finder_auth_opened(&w->state.finder, p);
}

static void worker_gone(pool_worker *p)
{
    (void)p;
}

static inline int world_close(void **state)
{
    accounts_free(&w->state);
    return teardown(state);
}

#define PIPE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, world_close)
