/* Templates of reports: their grammar, and the names in them. Runs in: postrider check. */
#include "conf/value.h"
#include "ctl/check.h"
#include "mail/report_template.h"
#include "os/file.h"
#include <fcntl.h>

static bool value_find(void *context, str name, buf *out)
{
    return config_value_append(context, name, out);
}

static void names_check(checking *c, str text)
{
    buf out = buf_new(4 * REPORT_TEMPLATE_FILE_MAX);
    str unknown;
    report_text_append(&out, text, value_find, (void *)(uintptr_t)c->config, &unknown);
    if (unknown.p)
        problem_warning(c->problems, c->config->bounce_template_file, 0,
                        "$%.*s is not a parameter, and stands for nothing",
                        STR_ARG(str_upto(arena_copy(c->problems->arena, unknown), 60)));
    buf_free(&out);
}

static void templates_check(checking *c, str file)
{
    report_templates t;
    unsigned line = 0;
    fault f = report_templates_read(file, &t, &line);
    if (is_fault(f))
        problem_error(c->problems, c->config->bounce_template_file, line, "%s", f.text);
    for (size_t i = 0; i < REPORT_KINDS; i++) {
        names_check(c, t.of[i].from);
        names_check(c, t.of[i].subject);
        names_check(c, t.of[i].text);
    }
    report_templates_free(&t);
}

void check_templates(checking *c)
{
    str path = c->config->bounce_template_file;
    buf file = buf_new(REPORT_TEMPLATE_FILE_MAX);
    if (path.n == 0)
        return;
    fault f = file_read(AT_FDCWD, path.p, &file);
    if (is_fault(f))
        problem_error(c->problems, path, 0, "%s", f.text);
    else
        templates_check(c, buf_str(&file));
    buf_free(&file);
}
