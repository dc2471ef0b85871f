#include "conf/services.h"
#include "base/map.h"
#include "base/num.h"
#include "conf/networks.h"
#include "conf/parser.h"

static const struct {
    const char *name;
    bool is_inet;
} roles[ROLE_COUNT] = {
    [ROLE_SMTPD] = { "smtpd", true },  [ROLE_LOGIN] = { "login", true },    [ROLE_CLEANUP] = { "cleanup", false },
    [ROLE_QMGR] = { "qmgr", false },   [ROLE_POLICY] = { "policy", false }, [ROLE_LOCAL] = { "local", false },
    [ROLE_AUTH] = { "auth", false },   [ROLE_PAM] = { "pam", false },       [ROLE_IMAPD] = { "imapd", false },
    [ROLE_POP3D] = { "pop3d", false }, [ROLE_METER] = { "meter", false },
    [ROLE_BOUNCE] = { "bounce", false }, [ROLE_PIPE] = { "pipe", false },
};

static const struct {
    str name;
    uint16_t port;
} ports[] = {
    { STR_ROW("smtp"), 25 },   { STR_ROW("submission"), 587 }, { STR_ROW("submissions"), 465 },
    { STR_ROW("smtps"), 465 }, { STR_ROW("lmtp"), 24 },        { STR_ROW("imap"), 143 },
    { STR_ROW("imap2"), 143 }, { STR_ROW("imaps"), 993 },      { STR_ROW("pop3"), 110 },
    { STR_ROW("pop3s"), 995 },
};

const char *role_name(service_role r)
{
    return roles[r].name;
}

bool role_find(str name, service_role *out)
{
    for (size_t i = 0; i < ROLE_COUNT; i++) {
        if (!str_equal(str_c(roles[i].name), name))
            continue;
        *out = (service_role)i;
        return true;
    }
    return false;
}

bool role_is_inet(service_role r)
{
    return roles[r].is_inet;
}

bool service_listens(const service *s)
{
    return s->type == SERVICE_INET || s->role == ROLE_SMTPD;
}

bool service_port(str name, uint16_t *out)
{
    uint64_t number;
    if (num_parse(name, 1, UINT16_MAX, &number)) {
        *out = (uint16_t)number;
        return true;
    }
    for (size_t i = 0; i < COUNT_OF(ports); i++) {
        if (!str_equal(ports[i].name, name))
            continue;
        *out = ports[i].port;
        return true;
    }
    return false;
}

/* What the reading of one row needs; a column's reader says its problem and returns false. */
typedef struct row_reader {
    str file, text;
    unsigned line;         /* of what is being read */
    const line_part *part; /* the physical line that it stands in */
    arena *arena;
    problems *problems;
    service *service;
} row_reader;

static bool refuse(row_reader *r, const char *what, str word)
{
    problem_error(r->problems, r->file, r->line, "%s: \"%.*s\"", what, STR_ARG(str_upto(word, 60)));
    return false;
}

static bool is_host(str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && c != '-' && c != '.')
            return false;
    }
    return s.n > 0 && s.n <= 255;
}

/* port, host:port or [address]:port. */
static bool inet_name_read(row_reader *r, str name)
{
    unsigned char bytes[16];
    size_t colon = str_find_last(name, ':');
    str host = colon < name.n ? str_upto(name, colon) : STR_NONE;
    bool in_brackets = host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';

    if (!service_port(colon < name.n ? str_from(name, colon + 1) : name, &r->service->port))
        return refuse(r, "not a port or the name of a mail service", name);
    if (colon < name.n && !(in_brackets ? address_read(host, bytes) : is_host(host)))
        return refuse(r, "not a host name or address (IPv6 stands in brackets, [::1]:25)", name);
    r->service->host = in_brackets ? (str){ host.p + 1, host.n - 2 } : host;
    return true;
}

/* A path is for the socket of a service that others connect to. */
static bool socket_path_read(row_reader *r, str path)
{
    for (size_t i = 0; i < path.n; i++)
        if (path.p[i] <= ' ' || path.p[i] >= 0x7f)
            return refuse(r, "not a path for a socket", path);
    return (path.n > 1 && path.n <= 100) || refuse(r, "a path of 2 to 100 bytes is needed", path);
}

static bool unix_name_read(row_reader *r, str name)
{
    if (name.p[0] == '/')
        return socket_path_read(r, name);
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_word && c != '_' && c != '-' && (c != '.' || i == 0))
            return refuse(r, "not a name for a service of type unix", name);
    }
    return name.n <= 100 || refuse(r, "the name of the service is too long", name);
}

static bool flag_read(row_reader *r, str word, bool if_dash, bool *out)
{
    if (word.n != 1 || (word.p[0] != 'y' && word.p[0] != 'n' && word.p[0] != '-'))
        return refuse(r, "columns 3 to 5 are y, n or -", word);
    *out = word.p[0] == '-' ? if_dash : word.p[0] == 'y';
    return true;
}

/* unpriv and chroot may say what they like: each role's contract decides. */
static bool flags_read(row_reader *r, const str *columns)
{
    bool ignored;
    bool is_inet = r->service->type == SERVICE_INET;

    if (!flag_read(r, columns[0], !is_inet, &r->service->is_private) || !flag_read(r, columns[1], true, &ignored) ||
        !flag_read(r, columns[2], true, &ignored))
        return false;
    return !is_inet || !r->service->is_private || refuse(r, "a service of type inet cannot be private", columns[0]);
}

static bool wakeup_read(row_reader *r, str word)
{
    service *s = r->service;
    str number = word;

    if (str_equal(word, STR("-")))
        return true;
    if (word.n > 1 && word.p[word.n - 1] == '?')
        number = str_upto(word, word.n - 1);
    s->wakeup_when_used = number.n < word.n;
    return num_parse(number, 0, 86400 * 7, &s->wakeup_s) || refuse(r, "wakeup is a number of seconds or -", word);
}

static bool process_max_read(row_reader *r, str word)
{
    service *s = r->service;
    if (str_equal(word, STR("-")))
        return true;
    if (!num_parse(word, 0, 100000, &s->process_max))
        return refuse(r, "maxproc is a number up to 100000 or -", word);
    if (s->process_max == 0)
        s->process_max = PROCESS_UNLIMITED;
    return true;
}

static bool type_read(row_reader *r, str word)
{
    if (str_equal(word, STR("inet")))
        r->service->type = SERVICE_INET;
    else if (str_equal(word, STR("unix")))
        r->service->type = SERVICE_UNIX;
    else
        return refuse(r, "the type is inet or unix", word);
    return true;
}

static bool command_read(row_reader *r, str word)
{
    service *s = r->service;
    if (!role_find(word, &s->role))
        return refuse(r, "no such program", word);
    if (role_is_inet(s->role) ? !service_listens(s) : s->type == SERVICE_INET)
        return refuse(r, role_is_inet(s->role) ? "this program needs type inet" : "this program needs type unix", word);
    if (service_listens(s) && s->is_private)
        return refuse(r, "others connect to it, so it cannot be private: column 3 must be n", word);
    return service_listens(s) || s->name.p[0] != '/' || refuse(r, "nobody connects to this program by a path", word);
}

/* The next argument: a word, or what stands in braces. False: none, or braces that do not close (*rest is not empty). */
static bool argument_next(str *rest, str *out)
{
    str at = str_trim(*rest);
    size_t level = 0, n = 0;

    *rest = at;
    if (at.n == 0)
        return false;
    if (at.p[0] != '{')
        return str_word(rest, " \t", out);
    for (; n < at.n; n++) {
        level += at.p[n] == '{';
        if (at.p[n] == '}' && --level == 0)
            break;
    }
    if (n == at.n || (n + 1 < at.n && at.p[n + 1] != ' ' && at.p[n + 1] != '\t'))
        return false;
    *out = str_trim((str){ at.p + 1, n - 1 });
    *rest = str_from(at, n + 1);
    return true;
}

typedef VEC(service_override) override_list;

static void line_follow(row_reader *r, str word)
{
    size_t offset = (size_t)(word.p - r->text.p);
    while (r->part->next && offset >= r->part->end)
        r->part = r->part->next;
    r->line = r->part->line;
}

static bool argument_read(row_reader *r, str word, str *rest, override_list *list)
{
    service_override o = { 0 };
    str text = str_from(word, 2);

    line_follow(r, word);
    if (str_equal(word, STR("-v"))) {
        *vec_add(list) = (service_override){ STR("log_verbose"), STR("yes"), r->line };
        return true;
    }
    if (!str_starts(word, STR("-o")))
        return refuse(r, "arguments are -v and -o name=value", word);
    if (text.n == 0 && !argument_next(rest, &text))
        return refuse(r, "-o needs name=value or { name = value }", *rest);
    if (!setting_split(text, &o.name, &o.value))
        return refuse(r, "-o needs name=value or { name = value }", text);
    line_follow(r, text);
    o.line = r->line;
    *vec_add(list) = o;
    return true;
}

static bool arguments_read(row_reader *r, str rest)
{
    override_list list = { 0 };
    str word;
    bool is_right = true;

    while (is_right && argument_next(&rest, &word))
        is_right = argument_read(r, word, &rest, &list);
    if (is_right && rest.n)
        is_right = refuse(r, "braces that do not close, or text right behind them", rest);
    r->service->override_count = list.n;
    r->service->overrides = ARENA_ARRAY(r->arena, service_override, list.n + 1);
    if (list.n)
        memcpy(r->service->overrides, list.p, list.n * sizeof *list.p);
    vec_free(&list);
    return is_right;
}

enum { COLUMN_COUNT = 8 };

static bool row_read(row_reader *r, str line)
{
    str columns[COLUMN_COUNT], rest = line;
    service *s = r->service;

    if (line.p[0] == ' ' || line.p[0] == '\t')
        return refuse(r, "begins with white space, but there is no line before that it could continue", str_trim(line));
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        if (!str_word(&rest, " \t", &columns[i]))
            return refuse(r, "needs eight columns: name type private unpriv chroot wakeup maxproc command", line);
    s->name = columns[0];
    if (!type_read(r, columns[1]))
        return false;
    if (!(s->type == SERVICE_INET ? inet_name_read : unix_name_read)(r, s->name))
        return false;
    s->key = arena_printf(r->arena, "%.*s/%.*s", STR_ARG(s->name), STR_ARG(columns[1]));
    return flags_read(r, columns + 2) && wakeup_read(r, columns[5]) && process_max_read(r, columns[6]) &&
           command_read(r, columns[7]) && arguments_read(r, rest);
}

void services_read(str file, str content, arena *a, services *out, problems *ps)
{
    map lines = { 0 };
    str line;
    unsigned number;

    *out = (services){ 0 };
    if (content.n > CONFIG_FILE_MAX) {
        problem_error(ps, file, 0, "is larger than %d bytes", CONFIG_FILE_MAX);
        return;
    }
    for (config_line_reader l = lines_of(content, a); line_next(&l, &line, &number);) {
        service s = { .line = number, .host = STR("") };
        row_reader r = { file, line, number, l.parts, a, ps, &s };
        if (!row_read(&r, line))
            continue;
        uintptr_t before = (uintptr_t)map_put(&lines, s.key, (void *)(uintptr_t)number);
        if (before) {
            problem_error(ps, file, number, "%.*s stands in line %u already", STR_ARG(str_upto(s.key, 100)),
                          (unsigned)before);
            continue;
        }
        if (out->rows.n == SERVICE_COUNT_MAX) {
            problem_error(ps, file, number, "more than %d services", SERVICE_COUNT_MAX);
            break;
        }
        *vec_add(&out->rows) = s;
    }
    map_free(&lines);
}

void services_free(services *s)
{
    vec_free(&s->rows);
}
