/* The templates in effect, and what their names stand for. Runs in: bounce. */
#include "base/log.h"
#include "bounce/bounce.h"
#include "conf/value.h"
#include "os/file.h"
#include <fcntl.h>

enum { TEXT_MAX = 4 * REPORT_TEMPLATE_FILE_MAX };

static bool value_find(void *context, str name, buf *out)
{
    return config_value_append(daemon_config(context), name, out);
}

static void mistake_log(str path, unsigned line, const char *what)
{
    log_event(LOG_ERROR, "bad-template", LOG_STR("file", path), LOG_NUM("line", line), LOG_C("reason", what),
              LOG_C("instead", "the built-in ones"));
}

void templates_load(bounce *b)
{
    str path = daemon_config(b->process)->bounce_template_file;
    buf file = buf_new(REPORT_TEMPLATE_FILE_MAX);
    unsigned line = 0;
    report_templates_default(&b->templates);
    if (path.n == 0)
        return;
    fault f = file_read(AT_FDCWD, path.p, &file);
    if (!is_fault(f))
        f = report_templates_read(buf_str(&file), &b->templates, &line);
    if (is_fault(f))
        mistake_log(path, line, f.text);
    buf_free(&file);
}

str template_text(job *j, str text)
{
    buf out = buf_new(TEXT_MAX);
    str unknown;
    report_text_append(&out, text, value_find, j->bounce->process, &unknown);
    text = arena_copy(&j->arena, buf_str(&out));
    buf_free(&out);
    return text;
}
