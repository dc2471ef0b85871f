#include "auth/worker/verify.h"
#include "base/memory.h"
#include <crypt.h>
#include <stdlib.h>

enum { PASSWORD_MAX = 512, STORED_MAX = 1024 };

static bool is_plain(str scheme)
{
    return str_equal_nocase(scheme, STR("PLAIN"));
}

/* The digest says itself which scheme of crypt(5) it is; the name must only be one of them. */
static bool is_crypt(str scheme)
{
    static const str names[] = { STR_ROW("CRYPT"), STR_ROW("YESCRYPT"), STR_ROW("SHA512-CRYPT"), STR_ROW("SHA512"),
                                 STR_ROW("SHA256-CRYPT"), STR_ROW("BLF-CRYPT") };
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (str_equal_nocase(scheme, names[i]))
            return true;
    return false;
}

static verdict verify_crypt(const char *password, const char *digest)
{
    struct crypt_data *work = memory_get(sizeof *work);
    const char *made = crypt_r(password, digest, work);
    verdict v = PASSWORD_UNUSABLE;
    if (made && made[0] != '*')
        v = secret_equal((secret){ str_c(made) }, (secret){ str_c(digest) }) ? PASSWORD_RIGHT : PASSWORD_WRONG;
    secret_wipe(work, sizeof *work);
    free(work);
    return v;
}

/* False: cut at a NUL or too long; the copy is what it takes the time for. */
static bool copy_text(str from, char *out, size_t max)
{
    str kept = str_upto(str_upto(from, str_find(from, 0)), max);
    if (kept.n)
        memcpy(out, kept.p, kept.n);
    out[kept.n] = 0;
    return kept.n == from.n;
}

verdict password_verify(secret password, secret stored)
{
    char text[PASSWORD_MAX + 1], digest[STORED_MAX + 1];
    str scheme = STR("CRYPT"), rest = stored.hidden;
    if (rest.n && rest.p[0] == '{') {
        size_t brace = str_find(rest, '}');
        scheme = str_upto(str_from(rest, 1), brace - 1);
        rest = str_from(rest, brace + 1);
    }
    if (rest.n == 0)
        return PASSWORD_UNUSABLE;
    bool is_whole = copy_text(password.hidden, text, PASSWORD_MAX);
    verdict v = PASSWORD_UNUSABLE;
    if (is_plain(scheme))
        v = secret_equal(password, (secret){ rest }) ? PASSWORD_RIGHT : PASSWORD_WRONG;
    else if (is_crypt(scheme) && rest.p[0] == '$' && copy_text(rest, digest, STORED_MAX)) /* not DES, which cuts at 8 */
        v = verify_crypt(text, digest);
    secret_wipe(text, sizeof text);
    secret_wipe(digest, sizeof digest);
    return v == PASSWORD_RIGHT && !is_whole ? PASSWORD_WRONG : v;
}
