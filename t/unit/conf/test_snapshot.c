/* A configuration survives the trip; whatever else arrives is refused, at every length and with every byte changed. */
#include "conf/snapshot.h"
#include "os/fd.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

static void open_example(parsed *p)
{
    bool is_right = config_parse(
        STR("/e"), STR("h.example.com"), STR("smtpd_timeout = 20s\nown = a b\nsmtpd_banner = $myhostname $own\n"),
        STR("meter unix - - - - - meter\npolicy unix - - - - - policy\ncleanup unix - - - - 0 cleanup\n"
            "qmgr unix - - - 300? 1 qmgr\nlocal unix - - - - - local\nsmtp inet n - - - - smtpd\n"
            "[::1]:587 inet n - - - 7 smtpd -o myhostname=other.example -o smtpd_timeout=30\n"),
        p);
    assert_true(is_right);
}

static void survives_the_trip(void **state)
{
    parsed p;
    snapshot s;
    buf bytes = buf_new(SNAPSHOT_MAX);

    (void)state;
    open_example(&p);
    assert_true(snapshot_encode(&p, 42, &bytes));
    parsed_free(&p);
    assert_int_equal(snapshot_decode(buf_str(&bytes), &s), PARSE_DONE);
    buf_free(&bytes);
    assert_int_equal(s.generation, 42);
    assert_int_equal(s.service_count, 7);
    assert_int_equal(s.base.smtpd_timeout, 20);
    assert_string_equal(s.base.smtpd_banner.p, "h.example.com a b");
    assert_ptr_equal(config_for_service(&s, STR("none/inet")), &s.base);
    assert_string_equal(config_for_service(&s, STR("smtp/inet"))->smtpd_banner.p, "h.example.com a b");
    const snapshot_service *own = snapshot_service_find(&s, STR("[::1]:587/inet"));
    assert_non_null(own);
    assert_string_equal(own->config.smtpd_banner.p, "other.example a b");
    assert_int_equal(own->config.smtpd_timeout, 30);
    assert_string_equal(own->host.p, "::1");
    assert_int_equal(own->port, 587);
    assert_int_equal(own->process_max, 7);
    assert_int_equal(own->role, ROLE_SMTPD);
    const snapshot_service *qmgr = snapshot_service_find(&s, STR("qmgr/unix"));
    assert_true(qmgr->is_private && qmgr->wakeup_when_used && qmgr->wakeup_s == 300);
    assert_true(snapshot_service_find(&s, STR("cleanup/unix"))->process_max == PROCESS_UNLIMITED);
    snapshot_free(&s);
}

static void the_same_configuration_gives_the_same_bytes(void **state)
{
    buf bytes[2] = { buf_new(SNAPSHOT_MAX), buf_new(SNAPSHOT_MAX) };

    (void)state;
    for (int i = 0; i < 2; i++) {
        parsed p;
        open_example(&p);
        assert_true(snapshot_encode(&p, 1, &bytes[i]));
        parsed_free(&p);
    }
    assert_true(str_equal(buf_str(&bytes[0]), buf_str(&bytes[1])));
    buf_free(&bytes[0]);
    buf_free(&bytes[1]);
}

static void refuses_any_other_length(void **state)
{
    parsed p;
    snapshot s;
    buf bytes = buf_new(SNAPSHOT_MAX);

    (void)state;
    open_example(&p);
    assert_true(snapshot_encode(&p, 1, &bytes));
    parsed_free(&p);
    for (size_t n = 0; n < bytes.n; n++) {
        char *copy = malloc(n ? n : 1); /* so that the sanitizer sees a read behind it */
        memcpy(copy, bytes.p, n);
        assert_int_equal(snapshot_decode((str){ copy, n }, &s), PARSE_BAD);
        free(copy);
    }
    buf_append_char(&bytes, '\0');
    assert_int_equal(snapshot_decode(buf_str(&bytes), &s), PARSE_BAD);
    buf_free(&bytes);
}

static void a_changed_byte_never_reads_outside(void **state)
{
    parsed p;
    snapshot s;
    buf bytes = buf_new(SNAPSHOT_MAX);

    (void)state;
    open_example(&p);
    assert_true(snapshot_encode(&p, 1, &bytes));
    parsed_free(&p);
    for (size_t i = 0; i < bytes.n; i++) {
        char before = bytes.p[i];
        for (int v = 0; v < 3; v++) {
            bytes.p[i] = (char)(v == 0 ? 0xff : v == 1 ? before ^ 1 : 0);
            if (snapshot_decode(buf_str(&bytes), &s) == PARSE_DONE)
                snapshot_free(&s);
        }
        bytes.p[i] = before;
    }
    buf_free(&bytes);
}

/* The last of the example is smtpd_timeout = 30: a number, a length and two bytes. */
static void overrides_stand_in_order(void **state)
{
    parsed p;
    snapshot s;
    uint32_t at = AT_config_directory;
    buf bytes = buf_new(SNAPSHOT_MAX);

    (void)state;
    open_example(&p);
    assert_true(snapshot_encode(&p, 1, &bytes));
    parsed_free(&p);
    memcpy(bytes.p + bytes.n - 10, &at, sizeof at);
    assert_int_equal(snapshot_decode(buf_str(&bytes), &s), PARSE_BAD);
    at = AT_smtpd_timeout;
    memcpy(bytes.p + bytes.n - 10, &at, sizeof at);
    assert_int_equal(snapshot_decode(buf_str(&bytes), &s), PARSE_DONE);
    snapshot_free(&s);
    buf_free(&bytes);
}

static void too_large_is_told(void **state)
{
    parsed p;
    buf bytes = buf_new(1000);

    (void)state;
    open_example(&p);
    assert_false(snapshot_encode(&p, 1, &bytes));
    parsed_free(&p);
    buf_free(&bytes);
}

static void goes_through_a_sealed_file_only(void **state)
{
    parsed p;
    snapshot s;
    int fd = -1, pipes[2];

    (void)state;
    open_example(&p);
    assert_false(is_fault(snapshot_seal(&p, 9, &fd)));
    parsed_free(&p);
    assert_true(fd_is_sealed(fd));
    assert_false(is_fault(snapshot_open(fd, &s)));
    assert_int_equal(s.generation, 9);
    snapshot_free(&s);
    close(fd);
    assert_int_equal(pipe(pipes), 0);
    assert_int_equal(snapshot_open(pipes[0], &s).kind, FAULT_BUG);
    close(pipes[0]);
    close(pipes[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(survives_the_trip),
        cmocka_unit_test(the_same_configuration_gives_the_same_bytes),
        cmocka_unit_test(refuses_any_other_length),
        cmocka_unit_test(a_changed_byte_never_reads_outside),
        cmocka_unit_test(overrides_stand_in_order),
        cmocka_unit_test(too_large_is_told),
        cmocka_unit_test(goes_through_a_sealed_file_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
