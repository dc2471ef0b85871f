#include "base/fault.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

__attribute__((format(printf, 3, 0))) static fault make(fault_kind kind, const char *status, const char *format,
                                                        va_list args)
{
    fault f = { .kind = kind };
    snprintf(f.status, sizeof f.status, "%s", status);
    vsnprintf(f.text, sizeof f.text, format, args);
    return f;
}

fault fault_make(fault_kind kind, const char *status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fault f = make(kind, status, format, args);
    va_end(args);
    return f;
}

fault fault_errno(const char *format, ...)
{
    int number = errno;
    bool is_full = number == ENOSPC || number == EDQUOT || number == EFBIG;
    va_list args;
    va_start(args, format);
    fault f = make(FAULT_TRY_LATER, is_full ? "3.1" : "3.0", format, args);
    va_end(args);
    size_t n = strlen(f.text);
    char reason[64];
    snprintf(f.text + n, sizeof f.text - n, ": %s", strerror_r(number, reason, sizeof reason));
    errno = number;
    return f;
}
