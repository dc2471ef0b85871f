/* One file of the queue's folders, looked at whole: `postrider queue check`. Runs in: postrider. */
#pragma once
#include "ctl/queue/queue.h"

typedef enum flaw {
    FLAW_NONE,
    FLAW_STRANGE,    /* no queue file's name, or no regular file */
    FLAW_DAMAGED,    /* to corrupt/ */
    FLAW_UNFINISHED, /* never acknowledged, or cut off: in incoming it goes, elsewhere it is damaged */
    FLAW_MISPLACED,  /* whole, under a name or in a folder that are not its own */
    FLAW_TWICE,      /* the same message stands in another folder, too */
    FLAW_MODE,       /* mode, owner or links */
    FLAW_TORN,       /* a state that was half written: taken as not said */
} flaw;

typedef struct file_look {
    flaw flaw;
    char text[160];
    uint64_t bytes; /* of the file */
    uint64_t id;    /* in its head; 0: not known */
} file_look;

/* `name` beneath `folder_fd`; `id` is what the name says, 0 for none. The owner is the queue folder's. */
file_look check_file(int queue_fd, int folder_fd, const char *name, uint64_t id);

const char *flaw_name(flaw f);

/* Puts mode and owner right, and torn states as they are taken. False: errno. */
bool check_mode_mend(int queue_fd, int folder_fd, const char *name);
bool check_torn_mend(int folder_fd, const char *name);
