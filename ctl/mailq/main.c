/* mailq: what is in the queue, in the layout that people and programs know. Runs as whoever calls it. */
#include "ctl/common/mailq.h"
#include "ctl/common/open.h"
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    const char *directory = DEFAULT_CONFIG_DIRECTORY;
    bool had_input;
    int letter;
    if (!descriptors_complete(&had_input) || argc < 1)
        return EX_OSERR;
    while ((letter = getopt(argc, argv, "C:v")) != -1) {
        if (letter == '?') {
            fputs("usage: mailq [-C CONFIG_DIRECTORY] [-v]\n", stderr);
            return EX_USAGE;
        }
        if (letter == 'C')
            directory = optarg;
    }
    parsed p;
    int status = EX_CONFIG;
    config_open(directory, false, &p);
    if (config_is_usable(&p))
        status = mailq_print(&p.base.config);
    else
        fprintf(stderr, "mailq: the configuration in %s cannot be used\n", directory);
    parsed_free(&p);
    return fflush(stdout) == 0 ? status : EX_IOERR;
}
