/* A stopped suite whose queue has two messages: 1000 in active, 1001 in hold. */
#pragma once
#include "t/unit/ctl/invoke.h"
#include "ctl/common/open.h"
#include "ctl/common/queue_entry.h"

static inline void queue_make(void)
{
    buf records = buf_new(100000);
    envelope e = { .reverse_path = STR("a@b.example") };
    envelope_recipient to = { .address = STR("u@l.example"), .transport = STR("local"), .nexthop = STR("u") };
    char path[100];
    world_make();
    snprintf(path, sizeof path, "%s/spool", folder);
    assert_int_equal(mkdir(path, 0755), 0);
    snprintf(path, sizeof path, "%s/spool/queue", folder);
    assert_int_equal(mkdir(path, 0755), 0);
    int root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_false(is_fault(queue_tree_make(root)));
    assert_true(queue_records_envelope(&records, &e) && queue_records_recipient(&records, &to));
    for (uint64_t id = 1000; id < 1002; id++) {
        int fd = queue_tree_create(root, QUEUE_ACTIVE, id);
        queue_finish_args args = { .id = id, .recipient_count = 1, .records = buf_str(&records) };
        assert_false(is_fault(queue_finish(fd, &args)));
        assert_true(id == 1000 || queue_tree_move(root, QUEUE_ACTIVE, QUEUE_HOLD, id));
        close(fd);
    }
    buf_free(&records);
    close(root);
}

static inline int setup(void **state)
{
    (void)state;
    queue_make();
    return 0;
}
