#include "local/local.h"

static str local_part(str address)
{
    return str_upto(address, str_find_last(address, '@'));
}

str recipient_extension(str recipient, str user, str delimiters)
{
    str name = local_part(recipient), owner = local_part(user);
    if (!str_starts_nocase(name, owner) || name.n == owner.n)
        return STR_NONE;
    str rest = str_from(name, owner.n);
    return str_has(delimiters, rest.p[0]) && rest.n > 1 ? rest : STR_NONE;
}
