#include "auth/hash.h"

enum { MODEL_MAX = 512 };

static const char made_up[] = "{CRYPT}$y$j9T$zQ0u8Vbdj1T4sXhMnWyRk.$Mh4Ue4r8c5w0Zq2TtYxVn1oL6sB7gDfK9aJpEiQm3X/";

bool hash_is_set(str stored)
{
    str digest = hash_digest(stored);
    return digest.n > 0 && digest.p[0] != '!' && digest.p[0] != '*';
}

str hash_cost(str stored)
{
    str digest = hash_digest(stored);
    if (digest.n == 0 || digest.p[0] != '$')
        return str_upto(stored, stored.n - digest.n);
    /* $2b$ has salt and digest in one piece, the others have a '$' between them. */
    size_t pieces = str_starts(digest, STR("$2")) ? 1 : 2;
    while (pieces-- > 0 && digest.n > 1)
        digest.n = str_find_last(str_upto(digest, digest.n), '$');
    return (str){ stored.p, (size_t)(digest.p + digest.n - stored.p) };
}

static const user *most_common(const users *us)
{
    map counts = { 0 };
    const user *best = NULL;
    uintptr_t best_count = 0;
    for (size_t i = 0; i < us->rows.n; i++) {
        const user *u = us->rows.p[i];
        if (!hash_is_set(u->password))
            continue;
        str cost = hash_cost(u->password);
        uintptr_t count = (uintptr_t)map_get(&counts, cost) + 1;
        map_put(&counts, cost, (void *)count);
        if (count > best_count) {
            best_count = count;
            best = u;
        }
    }
    map_free(&counts);
    return best;
}

/* Some user's hash with its last digit changed: the salt's length and all parameters fit, and no password is known for
 * it. */
void hash_dummy(const users *us, buf *out)
{
    const user *model = most_common(us);
    if (model == NULL || model->password.n > MODEL_MAX) {
        buf_append(out, STR(made_up));
    } else if (hash_digest(model->password).p[0] != '$') { /* {PLAIN}: nothing of a real password */
        buf_append(out, hash_cost(model->password));
        buf_append(out, STR("nobody-has-this-password"));
    } else {
        buf_append(out, model->password);
        out->p[out->n - 1] = out->p[out->n - 1] == 'A' ? 'B' : 'A';
    }
}
