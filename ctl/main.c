/* postrider: the one admin command. A subcommand is a row of this table. */
#include "conf/nearest.h"
#include "ctl/command.h"
#include "ctl/commands.h"
#include "ctl/common/open.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static int command_help(invocation *in);

static const command commands[] = {
    { "start", "[--foreground]", "check the configuration and start the suite", command_start },
    { "stop", "", "stop the suite and wait until all of it is gone", command_stop },
    { "reload", "", "check the configuration and let the running suite take it", command_reload },
    { "status", "[--sandbox] [--json]", "show the processes, and what confines them", command_status },
    { "check", "[--json]", "look for mistakes in the configuration and around it", command_check },
    { "config", "[-n|-d|-x] [-h] [NAME]… | -e NAME=VALUE… | --service NAME | --help NAME…", "show and set parameters",
      command_config_verb },
    { "queue", "list|show|cat|shape|hold|release|delete|flush|requeue|reroute|check|export|import …",
      "show and change the queue",
      command_queue },
    { "map", "build|query|dump|convert TYPE:FILE…", "make indexed tables and look into them", command_map },
    { "user", "add|passwd|delete|list …", "keep the file of mail users", command_users },
    { "explain",
      "--client ADDRESS --helo NAME --sender ADDRESS --rcpt ADDRESS [--login NAME] | --rewrite ADDRESS\n"
      "            [--service NAME] [--json]",
      "say what policy decides, and why", command_explain },
    { "help", "[COMMAND]", "show this, or the usage of one command", command_help },
};

static void nearest_say(const command *rows, size_t count, const char *of, const char *name)
{
    const command *best = NULL;
    unsigned limit = nearest_limit(str_c(name));
    for (size_t i = 0; i < count && limit > 0; i++) {
        unsigned distance = nearest_distance(str_c(name), str_c(rows[i].name), limit);
        if (distance <= limit && (best == NULL || distance < limit)) {
            best = &rows[i];
            limit = distance;
        }
    }
    fprintf(stderr, "%s: there is no command \"%.80s\"", of, name);
    if (best)
        fprintf(stderr, "; did you mean \"%s\"?", best->name);
    fputc('\n', stderr);
}

static void rows_print(FILE *to, const command *rows, size_t count, const char *of)
{
    fprintf(to, "usage: %s [-C CONFIG_DIRECTORY] COMMAND …\n\n", of);
    for (size_t i = 0; i < count; i++)
        fprintf(to, "  %-9s %s\n            %s %s\n", rows[i].name, rows[i].help, rows[i].name, rows[i].usage);
}

int command_run(const command *rows, size_t count, const char *of, invocation *in)
{
    if (in->argc < 1) {
        rows_print(stderr, rows, count, of);
        return EX_USAGE;
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].name, in->argv[0]) != 0)
            continue;
        arena a = arena_new(0);
        const char *outer = strchr(of, ' ');
        in->name = arena_printf(&a, "%s%s%s", outer ? outer + 1 : "", outer ? " " : "", rows[i].name).p;
        in->usage = rows[i].usage;
        int status = rows[i].run(in);
        arena_free(&a);
        return status;
    }
    nearest_say(rows, count, of, in->argv[0]);
    return EX_USAGE;
}

static int command_help(invocation *in)
{
    if (!options_take(in, NULL, 0, 0, 1))
        return EX_USAGE;
    if (in->argc == 0) {
        rows_print(stdout, commands, COUNT_OF(commands), "postrider");
        return EXIT_DONE;
    }
    for (size_t i = 0; i < COUNT_OF(commands); i++)
        if (strcmp(commands[i].name, in->argv[0]) == 0) {
            printf("usage: postrider %s %s\n%s\n", commands[i].name, commands[i].usage, commands[i].help);
            return EXIT_DONE;
        }
    nearest_say(commands, COUNT_OF(commands), "postrider", in->argv[0]);
    return EX_USAGE;
}

int main(int argc, char **argv)
{
    invocation in = { .directory = DEFAULT_CONFIG_DIRECTORY };
    bool had_input;
    int found;
    if (!descriptors_complete(&had_input) || argc < 1)
        return EX_OSERR;
    umask(022);
    while ((found = getopt_long(argc, argv, "+C:h", (struct option[]){ { "help", no_argument, NULL, 'h' }, { 0 } },
                                NULL)) != -1) {
        if (found == 'C') {
            in.directory = optarg;
        } else if (found == 'h') {
            rows_print(stdout, commands, COUNT_OF(commands), "postrider");
            return EXIT_DONE;
        } else {
            return EX_USAGE;
        }
    }
    in.argc = argc - optind;
    in.argv = argv + optind;
    int status = command_run(commands, COUNT_OF(commands), "postrider", &in);
    parsed_free(&in.parsed);
    return fflush(stdout) == 0 && !ferror(stdout) ? status : EX_IOERR;
}
