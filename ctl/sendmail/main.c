/* sendmail: the name by which other software sends mail. Runs as whoever calls it, with nothing of its own: no setuid, no setgid;
 * what the environment says is not heeded. */
#include "ctl/common/aliases.h"
#include "ctl/common/ask.h"
#include "ctl/common/mailq.h"
#include "ctl/common/open.h"
#include "ctl/sendmail/deliver.h"
#include "ctl/sendmail/smtp.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>

/* "ID why": it could not be tried. */
static void on_refused(void *context, str row, int *fds, size_t fd_count)
{
    int *status = context;
    (void)fds, (void)fd_count;
    fprintf(stderr, "sendmail: %.*s\n", STR_ARG(row));
    *status = EX_DATAERR;
}

static int queue_flush(const config *c, const sendmail_options *o)
{
    int status = EX_OK;
    arena mem = arena_new(0);
    str what = o->flush_id.n     ? o->flush_id
               : o->flush_site.n ? arena_printf(&mem, "SITE %.*s", STR_ARG(o->flush_site))
                                 : STR("ALL");
    ask_answer a = ask(c, "queue", STR("flush"), what, on_refused, &status);
    arena_free(&mem);
    if (a.is_running)
        return is_fault(a.fault) ? fault_status(a.fault, EX_DATAERR) : status;
    fputs("sendmail: the mail system does not run; its queue is looked at when it starts\n", stderr);
    return EX_UNAVAILABLE;
}

static int mode_run(const config *c, const sendmail_options *o, bool had_input)
{
    if (!had_input && (o->mode == MODE_DELIVER || o->mode == MODE_SMTP)) {
        fputs("sendmail: the input is closed\n", stderr);
        return EX_NOINPUT;
    }
    switch (o->mode) {
    case MODE_DELIVER: return message_deliver(c, o);
    case MODE_SMTP: return smtp_serve(c, o);
    case MODE_LIST: return mailq_print(c);
    case MODE_ALIASES: return aliases_make(c);
    case MODE_FLUSH: return queue_flush(c, o);
    }
    return EX_SOFTWARE;
}

int main(int argc, char **argv)
{
    sendmail_options o;
    bool had_input;
    parsed p;
    if (argc < 1 || !descriptors_complete(&had_input))
        return EX_USAGE;
    clearenv();
    umask(022);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a write past the limit then fails, and is told */
    int status = fault_status(sendmail_options_read(argc, argv, &o), EX_USAGE);
    if (status != EX_OK)
        return status;
    config_open(o.directory ? o.directory : DEFAULT_CONFIG_DIRECTORY, false, &p);
    if (config_is_usable(&p)) {
        status = mode_run(&p.base.config, &o, had_input);
    } else {
        fprintf(stderr, "sendmail: the configuration in %s cannot be read\n",
                o.directory ? o.directory : DEFAULT_CONFIG_DIRECTORY);
        status = EX_CONFIG;
    }
    parsed_free(&p);
    return fflush(stdout) == 0 || status != EX_OK ? status : EX_IOERR;
}
