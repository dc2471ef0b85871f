#include "qmgr/window.h"

static uint64_t most(const window_rules *r)
{
    return r->limit ? r->limit : UINT32_MAX;
}

window window_new(const window_rules *r)
{
    uint64_t width = r->initial < most(r) ? r->initial : most(r);
    return (window){ .width = width ? (uint32_t)width : 1 };
}

void window_success(window *w, const window_rules *r)
{
    w->cohorts = w->failure = 0;
    if (w->width >= most(r)) {
        w->width = (uint32_t)most(r); /* a reload may have lowered it */
        return;
    }
    w->success += feedback_of(&r->positive, w->width);
    for (; w->success >= 1 && w->width < most(r); w->success -= 1)
        w->width++;
}

bool window_failure(window *w, const window_rules *r)
{
    w->success = 0;
    w->cohorts += 1.0 / w->width;
    if (r->failed_cohorts && w->cohorts + 1e-9 >= (double)r->failed_cohorts) {
        *w = window_new(r);
        return true;
    }
    w->failure += feedback_of(&r->negative, w->width);
    for (; w->failure >= 1 && w->width > 1; w->failure -= 1)
        w->width--;
    return false;
}
