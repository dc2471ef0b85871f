/* Queue ids: 64 bits that name a message once for ever, and their text: 11 characters that sort by time, without vowels, the
 * same in any case. Two ids never repeat: a high-water mark is kept on disk (qmgr/ids.h). */
#pragma once
#include "base/str.h"

enum { QUEUE_ID_CHARS = 11 };

typedef struct queue_name {
    char text[QUEUE_ID_CHARS + 1];
} queue_name;

#define QUEUE_ID_MARK "id-mark" /* the file, in the queue's folder: no id below its number is given again */

queue_name queue_id_text(uint64_t id);
bool queue_id_read(str text, uint64_t *out); /* either case */
