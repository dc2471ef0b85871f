/* newaliases: builds the tables of alias_database from their text. Runs as whoever may write them. */
#include "ctl/common/aliases.h"
#include "ctl/common/open.h"
#include <stdio.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    const char *directory = DEFAULT_CONFIG_DIRECTORY;
    bool had_input;
    int letter;
    if (!descriptors_complete(&had_input) || argc < 1)
        return EX_OSERR;
    umask(022);
    while ((letter = getopt(argc, argv, "C:v")) != -1) {
        if (letter == '?') {
            fputs("usage: newaliases [-C CONFIG_DIRECTORY] [-v]\n", stderr);
            return EX_USAGE;
        }
        if (letter == 'C')
            directory = optarg;
    }
    parsed p;
    int status = EX_CONFIG;
    config_open(directory, false, &p);
    if (config_is_usable(&p))
        status = aliases_make(&p.base.config);
    else
        fprintf(stderr, "newaliases: the configuration in %s cannot be used\n", directory);
    parsed_free(&p);
    return status;
}
