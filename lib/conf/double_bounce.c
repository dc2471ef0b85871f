#include "conf/double_bounce.h"

bool is_double_bounce(const config *c, str address)
{
    size_t at = str_find_last(address, '@');
    return str_equal_nocase(str_upto(address, at), c->double_bounce_sender) &&
           str_equal_nocase(str_from(address, at + 1), c->myorigin);
}
