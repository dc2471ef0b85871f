#include "os/sandbox.h"
#include "base/buf.h"
#include "base/num.h"
#include "os/file.h"
#include "os/limits.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { STATUS_MAX = 16 * 1024, PATH_BYTES = 40 };

static sandbox_report noted;

static bool hex_read(str s, uint64_t *out)
{
    uint64_t v = 0;

    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0 || v >> 60)
            return false;
        v = v << 4 | (unsigned)digit;
    }
    *out = v;
    return s.n > 0;
}

static size_t ids_read(str words, uint32_t *out, size_t max)
{
    str word;
    size_t n = 0;
    uint64_t id;

    while (str_word(&words, " \t", &word))
        if (num_parse(word, 0, UINT32_MAX, &id) && n++ < max)
            out[n - 1] = (uint32_t)id;
    return n;
}

static void line_read(str line, sandbox_view *v)
{
    const struct {
        str name;
        uint64_t *hex;
    } sets[] = {
        { STR("CapInh"), &v->caps_inheritable }, { STR("CapPrm"), &v->caps_permitted },
        { STR("CapEff"), &v->caps_effective },   { STR("CapBnd"), &v->caps_bounding },
        { STR("CapAmb"), &v->caps_ambient },
    };
    str name;
    uint64_t number = 0;

    if (!str_cut(&line, ':', &name))
        return;
    line = str_trim(line);
    for (size_t i = 0; i < COUNT_OF(sets); i++)
        if (str_equal(name, sets[i].name))
            hex_read(line, sets[i].hex);
    if (str_equal(name, STR("Uid")))
        ids_read(line, v->uids, COUNT_OF(v->uids));
    else if (str_equal(name, STR("Gid")))
        ids_read(line, v->gids, COUNT_OF(v->gids));
    else if (str_equal(name, STR("Groups")))
        v->group_count = ids_read(line, v->groups, SANDBOX_GROUPS_MAX);
    else if (num_parse(line, 0, UINT32_MAX, &number) && str_equal(name, STR("NoNewPrivs")))
        v->has_no_new_privs = number != 0;
    else if (str_equal(name, STR("Seccomp")))
        v->seccomp_mode = (unsigned)number;
    else if (str_equal(name, STR("Seccomp_filters")))
        v->seccomp_filters = (unsigned)number;
}

fault sandbox_read(pid_t pid, sandbox_view *out)
{
    char path[PATH_BYTES];
    buf status = buf_new(STATUS_MAX);

    *out = (sandbox_view){ 0 };
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    fault f = file_read(AT_FDCWD, path, &status);
    str rest = buf_str(&status), line;
    while (!is_fault(f) && str_cut(&rest, '\n', &line))
        line_read(line, out);
    buf_free(&status);
    snprintf(path, sizeof path, "/proc/%d/root", (int)pid);
    ssize_t n = is_fault(f) ? -1 : readlink(path, out->root, sizeof out->root - 1);
    out->root[n > 0 ? n : 0] = '\0';
    return f;
}

void sandbox_note(const sandbox_report *done)
{
    noted = *done;
}

void sandbox_self(sandbox_report *out)
{
    int bits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0), dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);

    *out = noted;
    out->securebits = bits < 0 ? 0 : (unsigned)bits;
    out->is_dumpable = dumpable != 0;
    out->has_mdwe = limits_has_mdwe();
}

const char *sandbox_caps_text(uint64_t caps, char *out, size_t out_size)
{
    static const char *const names[] = { "chown",           "dac_override",    "dac_read_search",
                                         "fowner",          "fsetid",          "kill",
                                         "setgid",          "setuid",          "setpcap",
                                         "linux_immutable", "net_bind_service" };
    buf text = buf_new(out_size > 0 ? out_size - 1 : 0);

    for (unsigned bit = 0; bit < 64; bit++) {
        const char *comma = text.n > 0 ? "," : "";
        if (!(caps >> bit & 1))
            continue;
        if (bit < COUNT_OF(names))
            buf_printf(&text, "%s%s", comma, names[bit]);
        else if (bit == 18)
            buf_printf(&text, "%ssys_chroot", comma);
        else
            buf_printf(&text, "%s%u", comma, bit);
    }
    snprintf(out, out_size, "%.*s", STR_ARG(caps == 0 ? STR("none") : buf_str(&text)));
    buf_free(&text);
    return out;
}
