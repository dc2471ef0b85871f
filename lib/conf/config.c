#include "conf/config.h"
#include "conf/check.h"
#include "conf/scope.h"
#include "os/file.h"
#include <fcntl.h>
#include <unistd.h>

static void scope_parse(parsed *p, const service *s, config_values *out)
{
    scope sc;

    scope_open(&sc, p, s);
    scope_read(&sc, out);
    check_values(&sc, &out->config, s ? s->role : ROLE_COUNT);
    scope_close(&sc);
}

static void parsed_open(parsed *p, str directory)
{
    *p = (parsed){ .arena = arena_new(CONFIG_MEMORY_MAX) };
    while (directory.n > 1 && directory.p[directory.n - 1] == '/')
        directory.n--;
    p->directory = arena_copy(&p->arena, directory);
    p->main_file = arena_printf(&p->arena, "%.*s/main.cf", STR_ARG(directory));
    p->master_file = arena_printf(&p->arena, "%.*s/master.cf", STR_ARG(directory));
}

static bool parse_texts(parsed *p, str host_name, str main_cf, str master_cf)
{
    p->problems.arena = &p->arena;
    host_defaults(host_name, &p->arena, &p->host_name, &p->domain);
    settings_read(p->main_file, main_cf, &p->arena, &p->main, &p->problems);
    services_read(p->master_file, master_cf, &p->arena, &p->services, &p->problems);
    check_names(p);
    scope_parse(p, NULL, &p->base);
    p->of_services = ARENA_ARRAY(&p->arena, config_values, p->services.rows.n + 1);
    for (size_t i = 0; i < p->services.rows.n; i++)
        scope_parse(p, &p->services.rows.p[i], &p->of_services[i]);
    check_services(p);
    return p->problems.error_count == 0;
}

bool config_parse(str directory, str host_name, str main_cf, str master_cf, parsed *out)
{
    parsed_open(out, directory);
    return parse_texts(out, host_name, main_cf, master_cf);
}

static bool text_read(parsed *p, str file, buf *out)
{
    fault f = file_read(AT_FDCWD, file.p, out);
    if (is_fault(f))
        problem_error(&p->problems, file, 0, "cannot be read: %s", f.text);
    return !is_fault(f);
}

bool config_load(const char *directory, parsed *out)
{
    buf main_cf = buf_new(CONFIG_FILE_MAX), master_cf = buf_new(CONFIG_FILE_MAX);
    char host[256] = "";

    parsed_open(out, str_c(directory));
    out->problems.arena = &out->arena;
    if (gethostname(host, sizeof host - 1) != 0)
        host[0] = '\0';
    bool has_main = text_read(out, out->main_file, &main_cf), has_master = text_read(out, out->master_file, &master_cf);
    bool is_right = has_main && has_master && parse_texts(out, str_c(host), buf_str(&main_cf), buf_str(&master_cf));
    buf_free(&main_cf);
    buf_free(&master_cf);
    return is_right;
}

void parsed_free(parsed *p)
{
    settings_free(&p->main);
    services_free(&p->services);
    problems_free(&p->problems);
    arena_free(&p->arena);
    *p = (parsed){ 0 };
}
