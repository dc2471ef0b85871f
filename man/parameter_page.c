/* Writes main.cf(5) to standard output: the grammar as it is told here, and one entry for each row of conf/parameters.def.
 * Runs when the suite is built. */
#include "conf/parameters.h"
#include <stdio.h>

static const char head[] =
    ".TH MAIN.CF 5 \"\" Postrider \"Postrider file formats\"\n"
    ".SH NAME\nmain.cf, master.cf \\- configuration of Postrider\n"
    ".SH DESCRIPTION\n"
    "Both files stand in one folder, " DEFAULT_CONFIG_DIRECTORY
    ", unless \\fB\\-C\\fR names another. Their grammar is Postfix's.\n"
    "An empty main.cf is a safe, working server for this host. \\fBpostrider check\\fR reports every mistake with its "
    "line;\n"
    "\\fBpostrider reload\\fR puts a changed configuration into effect, and never one that has a mistake.\n"
    ".SH \"GRAMMAR OF MAIN.CF\"\n"
    "One parameter a line: \\fIname\\fR = \\fIvalue\\fR. A line that begins with white space continues the one before. "
    "Empty\n"
    "lines, and lines whose first character other than white space is #, are left out, between continued lines too. "
    "When a\n"
    "parameter is set twice the last line wins, and a warning says so. Names that are no parameters may be set when "
    "some\n"
    "$\\fIname\\fR refers to them.\n"
    ".PP\nA value may refer to other parameters:\n"
    ".TP\n$\\fIname\\fR, $(\\fIname\\fR), ${\\fIname\\fR}\nThe value of that parameter.\n"
    ".TP\n${\\fIname\\fR?{\\fItext\\fR}}, ${\\fIname\\fR?\\fItext\\fR}\nThe text, if the parameter is not empty.\n"
    ".TP\n${\\fIname\\fR:{\\fItext\\fR}}, ${\\fIname\\fR:\\fItext\\fR}\nThe text, if the parameter is empty or not "
    "set.\n"
    ".TP\n${\\fIname\\fR?{\\fItext\\fR}:{\\fIother\\fR}}\nThe one or the other.\n"
    ".TP\n${{\\fItext\\fR} == {\\fItext\\fR} ? {\\fItext\\fR} : {\\fIother\\fR}}\n"
    "By comparison: == != < <= >= >. Two numbers are compared by their value, all else by its bytes.\n"
    ".TP\n$$\nA dollar sign.\n"
    ".PP\nWords of a list are divided by commas and white space; a word in braces may hold either.\n"
    ".PP\nA time is a number and s, m, h, d or w; without a letter it is in seconds, unless the parameter says "
    "otherwise.\n"
    "A size is a number of bytes, or with k, m or g of 1024, 1024\\(ha2 or 1024\\(ha3 bytes.\n"
    ".SH \"GRAMMAR OF MASTER.CF\"\n"
    "One service a line, in eight columns: \\fIname type private unpriv chroot wakeup maxproc command\\fR. A dash "
    "stands for\n"
    "the default. Lines continue as in main.cf.\n"
    ".TP\n.I name\nFor type inet: a port or its name (smtp, submission, submissions, imap, imaps, pop3, pop3s), alone "
    "or behind\n"
    "a host name or address and a colon; an IPv6 address stands in brackets. For type unix: a name; smtpd then listens "
    "on\n"
    "that name in public/ of queue_directory, or on a path that begins with a slash (see "
    "\\fBpostrider\\-lmtp\\fR(5)).\n"
    ".TP\n.I type\ninet or unix.\n"
    ".TP\n.I private, unpriv, chroot\ny, n or a dash. Read for Postfix's sake: each program is confined as its own "
    "contract "
    "says. What others connect to has n as private.\n"
    ".TP\n.I wakeup\nSeconds, with a ? behind or not. Read for Postfix's sake: no process needs to be woken.\n"
    ".TP\n.I maxproc\nOf cleanup: how many of it run, a dash or 0 for 8. Of smtpd: how many of it run at most, for all services\n"
    "together, and never more than the CPUs; a dash or 0 for 4. One smtpd has any number of sessions; the next one accepts beside it\n"
    "while its CPU time is short. Of others read for Postfix's sake: each runs once, see\n"
    "\\fBpostrider\\-master\\fR(8).\n"
    ".TP\n.I command\nA program (smtpd, login, meter, policy, cleanup, qmgr, local, bounce, pipe, auth, pam, imapd, pop3d), and "
    "behind it\n"
    "\\fB\\-o\\fR \\fIname\\fR=\\fIvalue\\fR or \\fB\\-o\\fR { \\fIname\\fR = \\fIvalue\\fR } for what differs from "
    "main.cf in this\n"
    "service, and \\fB\\-v\\fR for \\fB\\-o\\fR log_verbose=yes.\n"
    ".SH PARAMETERS\n";

static const char tail[] = ".SH \"SEE ALSO\"\n.BR postrider (8),\n.BR postrider\\-lmtp (5),\n"
                           ".BR postrider\\-master (8),\n.BR postrider\\-tables (5)\n";

/* Text as the formatter must read it: nothing in it is a request. */
static void print_text(str s)
{
    if (s.n && (s.p[0] == '.' || s.p[0] == '\''))
        fputs("\\&", stdout);
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\\')
            fputs("\\e", stdout);
        else if (s.p[i] == '-')
            fputs("\\-", stdout);
        else
            putchar(s.p[i]);
    }
}

static void print_parameter(parameter_index at, arena *a)
{
    const parameter *p = &parameter_rows[at];
    const char *group = parameter_group(at);

    if (group)
        printf(".SS \"%s\"\n", group);
    fputs(".TP\n\\fB", stdout);
    print_text(p->name);
    fputs("\\fR", stdout);
    if (p->value.n) {
        fputs(" (default: ", stdout);
        print_text(p->value);
        putchar(')');
    }
    putchar('\n');
    str rest = parameter_text(p, a), line;
    while (str_cut(&rest, '\n', &line)) {
        print_text(line);
        putchar('\n');
    }
}

int main(void)
{
    arena a = arena_new(0);

    fputs(head, stdout);
    for (size_t i = 0; i < PARAMETER_COUNT; i++)
        print_parameter((parameter_index)i, &a);
    fputs(tail, stdout);
    arena_free(&a);
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
