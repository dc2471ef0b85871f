/* Mailboxes of accounts that are files: whether they can be made, and who reads them. Runs in: postrider. */
#include "base/num.h"
#include "ctl/check.h"
#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/stat.h>

static bool is_listed(str gids, gid_t wanted, arena *a)
{
    str word;
    while (str_word(&gids, " ,\t\r\n", &word)) {
        uint64_t number;
        const struct group *g = num_parse(word, 1, UINT32_MAX - 1, &number) ? NULL : getgrnam(arena_c(a, word));
        if (g ? g->gr_gid == wanted : number == wanted)
            return true;
    }
    return false;
}

static bool has_readers(const checking *c)
{
    for (size_t i = 0; i < c->parsed->services.rows.n; i++)
        if (c->parsed->services.rows.p[i].role == ROLE_LOGIN)
            return true;
    return false;
}

/* The sender of a message cannot know that it waits for this. */
static void check_folder(checking *c)
{
    str spool = c->config->mail_spool_directory;
    struct stat st;
    if (stat(spool.p, &st) != 0)
        problem_warning(c->problems, spool, 0, "new mailboxes cannot be made: %s", strerror(errno));
    else if ((st.st_mode & S_IWGRP) && !(st.st_mode & S_IWOTH) && !is_listed(c->config->mail_gids, st.st_gid, c->problems->arena))
        problem_warning(c->problems, spool, 0, "new mailboxes cannot be made: mail_gids does not have its group, %u", st.st_gid);
    else if (!(st.st_mode & (S_IWGRP | S_IWOTH)))
        problem_warning(c->problems, spool, 0, "new mailboxes cannot be made: only its owner may write there");
}

void check_spool(checking *c)
{
    str home = c->config->home_mailbox;
    if (!c->config->system_users || str_ends(home, STR("/")))
        return;
    if (home.n == 0)
        check_folder(c);
    if (has_readers(c))
        problem_warning(c->problems, STR("main.cf"), 0,
                        "home_mailbox: the mail of accounts goes to mbox files, which IMAP and POP3 do not read");
}
