/* SOURCES: auth/folder.c  NEEDS: daemon db */
/* The user file is looked at when its folder says that it changed. */
#include "auth/folder.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

static process d;
static unsigned refreshes;

void auth_refresh(auth *a, bool at_once)
{
    (void)a;
    assert_true(at_once);
    refreshes++;
    loop_stop(d.loop);
}

static void a_change_is_seen(void **state)
{
    char folder[] = "/tmp/test-folder-XXXXXX", path[60];
    auth a = { .process = &d };
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/users", folder);
    d.loop = loop_new();
    a.directory.path = path;
    folder_watch(&a);
    assert_true(a.folder.is_open);
    close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    loop_run(d.loop);
    assert_true(refreshes > 0);
    refreshes = 0;
    assert_int_equal(unlink(path), 0);
    loop_run(d.loop);
    assert_true(refreshes > 0);
    watch_close(&a.folder);
    close(a.folder_fd);
    loop_free(d.loop);
    rmdir(folder);
}

static void without_a_folder_nothing_is_watched(void **state)
{
    auth a = { .process = &d };
    (void)state;
    d.loop = loop_new();
    a.directory.path = "/no/such/folder/users";
    folder_watch(&a);
    assert_false(a.folder.is_open);
    close(a.folder_fd);
    loop_free(d.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_change_is_seen),
                                        cmocka_unit_test(without_a_folder_nothing_is_watched) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
