#include "pam/account.h"
#include "conf/list.h"
#include <errno.h>
#include <pwd.h>

enum { ACCOUNT_NAME_MAX = 64 };

bool account_name(const config *c, str given, str *out)
{
    size_t at = str_find_last(given, '@');
    if (at < given.n && !list_has(c->mydestination, str_from(given, at + 1)))
        return false;
    *out = str_upto(given, at);
    if (out->n == 0 || out->n > ACCOUNT_NAME_MAX || out->p[0] == '-')
        return false;
    for (size_t i = 0; i < out->n; i++) {
        unsigned char b = (unsigned char)out->p[i];
        if (b <= ' ' || b >= 0x7f || strchr("/:@\"'\\", b))
            return false;
    }
    return true;
}

/* home_mailbox is a Maildir when it ends in a slash, else an mbox; without it there is the spool. Who has an mbox may still have a
 * Maildir of the usual name, for IMAP and POP3. */
static void mail_set(const config *c, str name, arena *a, system_account *out)
{
    str below = c->home_mailbox, spool = c->mail_spool_directory;
    bool is_maildir = str_ends(below, STR("/"));
    while (str_ends(below, STR("/")))
        below.n--;
    out->mail = arena_printf(a, "%.*s/%.*s", STR_ARG(out->home), STR_ARG(is_maildir ? below : STR("Maildir")));
    if (below.n == 0)
        out->mbox = arena_printf(a, "%.*s/%.*s", STR_ARG(spool), STR_ARG(name));
    else if (!is_maildir)
        out->mbox = arena_printf(a, "%.*s/%.*s", STR_ARG(out->home), STR_ARG(below));
}

fault account_find(const config *c, str name, arena *a, system_account *out)
{
    str bare;
    if (!account_name(c, name, &bare))
        return fault_make(FAULT_REFUSED, "1.1", "no such account");
    errno = 0;
    const struct passwd *p = getpwnam(arena_c(a, bare));
    if (p == NULL && errno != 0 && errno != ENOENT && errno != ESRCH && errno != EBADF && errno != EPERM)
        return fault_errno("the accounts of the system");
    if (p == NULL)
        return fault_make(FAULT_REFUSED, "1.1", "no such account");
    *out = (system_account){ .name = arena_copy(a, str_c(p->pw_name)), .needs_alias = true };
    if (p->pw_uid < c->minimum_uid || p->pw_uid > c->maximum_uid || p->pw_gid == 0 || p->pw_dir[0] != '/')
        return fault_make(FAULT_REFUSED, "1.1", "an account of the system itself, which has no mail");
    out->needs_alias = false;
    out->home = arena_copy(a, str_c(p->pw_dir));
    out->uid = p->pw_uid;
    out->gid = p->pw_gid;
    mail_set(c, out->name, a, out);
    return NO_FAULT;
}
