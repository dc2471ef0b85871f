/* Options and operands of a subcommand, and what all of them say alike. Runs in: postrider. */
#include "ctl/command.h"
#include "ctl/common/open.h"
#include "ctl/common/text.h"
#include <getopt.h>
#include <stdio.h>

enum { ROWS_MAX = 32, FIRST_LONG = 256 };

typedef struct getopt_tables {
    struct option longs[ROWS_MAX + 2];
    char shorts[2 * ROWS_MAX + 4];
} getopt_tables;

static void tables_fill(const option_row *rows, size_t count, getopt_tables *out)
{
    size_t s = 0;
    out->shorts[s++] = 'C';
    out->shorts[s++] = ':';
    for (size_t i = 0; i < count; i++) {
        bool has_value = rows[i].value != NULL;
        out->longs[i] =
            (struct option){ rows[i].name, has_value ? required_argument : no_argument, NULL, FIRST_LONG + (int)i };
        if (rows[i].letter == 0)
            continue;
        out->shorts[s++] = rows[i].letter;
        if (has_value)
            out->shorts[s++] = ':';
    }
    out->longs[count] = (struct option){ "config", required_argument, NULL, 'C' };
}

static const option_row *row_of(const option_row *rows, size_t count, int found)
{
    for (size_t i = 0; i < count; i++)
        if (found == FIRST_LONG + (int)i || (rows[i].letter && found == rows[i].letter))
            return &rows[i];
    return NULL;
}

static bool usage_say(const invocation *in)
{
    command_usage(in);
    return false;
}

bool options_take(invocation *in, const option_row *rows, size_t count, int least, int most)
{
    getopt_tables t = { 0 };
    int found;
    tables_fill(rows, count, &t);
    optind = 0;
    while ((found = getopt_long(in->argc, in->argv, t.shorts, t.longs, NULL)) != -1) {
        const option_row *row = row_of(rows, count, found);
        if (found == 'C')
            in->directory = optarg;
        else if (row == NULL)
            return usage_say(in);
        else if (row->value)
            *row->value = optarg;
        else
            *row->flag = true;
    }
    in->argc -= optind;
    in->argv += optind;
    if (in->argc >= least && in->argc <= most)
        return true;
    fprintf(stderr, "postrider %s: too %s arguments\n", in->name, in->argc < least ? "few" : "many");
    return usage_say(in);
}

int command_usage(const invocation *in)
{
    fprintf(stderr, "usage: postrider %s %s\n", in->name, in->usage);
    return EX_USAGE;
}

const config *command_config(invocation *in, bool must_be_right)
{
    bool is_right = config_open(in->directory, must_be_right, &in->parsed);
    if (is_right || (!must_be_right && config_is_usable(&in->parsed)))
        return &in->parsed.base.config;
    if (!must_be_right)
        fputs(problems_text(&in->parsed.problems, &in->parsed.arena).p, stderr);
    fprintf(stderr, "postrider: the configuration in %s cannot be used\n", in->directory);
    return NULL;
}

int command_fault(const invocation *in, fault f)
{
    if (!is_fault(f))
        return EXIT_DONE;
    fprintf(stderr, "postrider %s: ", in->name);
    text_print(stderr, str_c(f.text));
    fputc('\n', stderr);
    return f.kind == FAULT_TRY_LATER ? EX_TEMPFAIL : EXIT_FAILED;
}
