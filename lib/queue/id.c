#include "queue/id.h"

static const char digits[] = "0123456789BCDFGHJKLMNPQRSTVWXYZ";
enum { BASE = sizeof digits - 1 };

queue_name queue_id_text(uint64_t id)
{
    queue_name name = { { 0 } };
    for (size_t i = QUEUE_ID_CHARS; i-- > 0; id /= BASE)
        name.text[i] = digits[id % BASE];
    return name;
}

bool queue_id_read(str s, uint64_t *out)
{
    uint64_t id = 0;
    if (s.n != QUEUE_ID_CHARS)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i] >= 'a' && s.p[i] <= 'z' ? (char)(s.p[i] - 'a' + 'A') : s.p[i];
        const char *at = c ? strchr(digits, c) : NULL;
        if (at == NULL)
            return false;
        id = id * BASE + (uint64_t)(at - digits);
    }
    *out = id;
    return true;
}
