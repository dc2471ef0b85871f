#include "daemon/session_id.h"
#include "base/clock.h"
#include <stdio.h>
#include <unistd.h>

void session_id_make(session_ids *ids, const char *prefix, char out[SESSION_ID_SIZE])
{
    uint64_t now_us = clock_us();
    if (ids->process == 0)
        ids->process = (uint32_t)getpid();
    ids->last_us = now_us > ids->last_us ? now_us : ids->last_us + 1;
    snprintf(out, SESSION_ID_SIZE, "%.1s%llX-%X", prefix, (unsigned long long)ids->last_us, ids->process);
}
