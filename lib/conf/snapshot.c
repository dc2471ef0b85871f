#include "conf/snapshot.h"
#include "os/fd.h"

/* Layout, numbers in the byte order of the host (both ends are one build on one machine):
 *   magic, u64 generation, u32 parameters, for each: text name, text value;
 *   u32 services, for each: text key, name, host; u32 type, role, port, flags; u64 wakeup, process_max;
 *   u32 overrides, for each: u32 parameter (ascending), text value.
 * A text is a u32 length and its bytes. */
static const str magic = STR_ROW("postrider snapshot 1\n");

enum { FLAG_PRIVATE = 1 << 0, FLAG_WAKEUP_WHEN_USED = 1 << 1, FLAGS_ALL = (1 << 2) - 1 };
enum { SERVICE_BYTES_MIN = 4 * 8 + 2 * 8 };

static void put_u32(buf *b, uint32_t v)
{
    buf_append(b, (str){ (const char *)&v, sizeof v });
}

static void put_u64(buf *b, uint64_t v)
{
    buf_append(b, (str){ (const char *)&v, sizeof v });
}

static void put_text(buf *b, str s)
{
    put_u32(b, (uint32_t)s.n);
    buf_append(b, s);
}

static void overrides_put(const config_values *base, const config_values *own, buf *out)
{
    uint32_t n = 0;

    for (size_t i = 0; i < PARAMETER_COUNT; i++)
        n += !str_equal(base->text[i], own->text[i]);
    put_u32(out, n);
    for (size_t i = 0; i < PARAMETER_COUNT; i++) {
        if (str_equal(base->text[i], own->text[i]))
            continue;
        put_u32(out, (uint32_t)i);
        put_text(out, own->text[i]);
    }
}

static void service_put(const parsed *p, size_t index, buf *out)
{
    const service *s = &p->services.rows.p[index];

    put_text(out, s->key);
    put_text(out, s->name);
    put_text(out, s->host);
    put_u32(out, s->type);
    put_u32(out, s->role);
    put_u32(out, s->port);
    put_u32(out, (s->is_private ? FLAG_PRIVATE : 0u) | (s->wakeup_when_used ? FLAG_WAKEUP_WHEN_USED : 0u));
    put_u64(out, s->wakeup_s);
    put_u64(out, s->process_max);
    overrides_put(&p->base, &p->of_services[index], out);
}

bool snapshot_encode(const parsed *p, uint64_t generation, buf *out)
{
    buf_append(out, magic);
    put_u64(out, generation);
    put_u32(out, PARAMETER_COUNT);
    for (size_t i = 0; i < PARAMETER_COUNT; i++) {
        put_text(out, parameter_rows[i].name);
        put_text(out, p->base.text[i]);
    }
    put_u32(out, (uint32_t)p->services.rows.n);
    for (size_t i = 0; i < p->services.rows.n; i++)
        service_put(p, i, out);
    return !out->overflow;
}

/* The decoder takes from the front of *in; false when it is not there. */

static bool take(str *in, void *out, size_t n)
{
    if (n > in->n)
        return false;
    memcpy(out, in->p, n);
    *in = str_from(*in, n);
    return true;
}

static bool take_u32(str *in, uint32_t *out)
{
    return take(in, out, sizeof *out);
}

static bool take_text(str *in, str *out)
{
    uint32_t n;
    if (!take_u32(in, &n) || n > in->n)
        return false;
    *out = str_upto(*in, n);
    *in = str_from(*in, n);
    return true;
}

static bool take_below(str *in, uint32_t limit, uint32_t *out)
{
    return take_u32(in, out) && *out < limit;
}

static bool take_value(str *in, size_t index, arena *a, config *out)
{
    str value;
    return take_text(in, &value) && !is_fault(parameter_read(&parameter_rows[index], value, a, out));
}

static bool take_base(str *in, snapshot *out)
{
    uint32_t count;
    str name;

    if (!take_u32(in, &count) || count != PARAMETER_COUNT)
        return false;
    for (size_t i = 0; i < PARAMETER_COUNT; i++)
        if (!take_text(in, &name) || !str_equal(name, parameter_rows[i].name) ||
            !take_value(in, i, &out->arena, &out->base))
            return false;
    return true;
}

static bool take_overrides(str *in, arena *a, config *out)
{
    uint32_t count, index;

    if (!take_below(in, PARAMETER_COUNT + 1, &count))
        return false;
    for (uint32_t i = 0, from = 0; i < count; i++, from = index + 1)
        if (!take_below(in, PARAMETER_COUNT, &index) || index < from || !take_value(in, index, a, out))
            return false;
    return true;
}

static bool take_kept_text(str *in, arena *a, str *out)
{
    str s;
    if (!take_text(in, &s))
        return false;
    *out = arena_copy(a, s);
    return true;
}

static bool take_service(str *in, snapshot *s, snapshot_service *out)
{
    uint32_t type, role, port, flags;

    out->config = s->base;
    if (!take_kept_text(in, &s->arena, &out->key) || !take_kept_text(in, &s->arena, &out->name) ||
        !take_kept_text(in, &s->arena, &out->host) || !take_below(in, SERVICE_UNIX + 1, &type) ||
        !take_below(in, ROLE_COUNT, &role) || !take_below(in, UINT16_MAX + 1, &port) ||
        !take_below(in, FLAGS_ALL + 1, &flags) || !take(in, &out->wakeup_s, sizeof out->wakeup_s) ||
        !take(in, &out->process_max, sizeof out->process_max))
        return false;
    out->type = (service_type)type;
    out->role = (service_role)role;
    out->port = (uint16_t)port;
    out->is_private = flags & FLAG_PRIVATE;
    out->wakeup_when_used = flags & FLAG_WAKEUP_WHEN_USED;
    return take_overrides(in, &s->arena, &out->config);
}

static bool take_services(str *in, snapshot *out)
{
    uint32_t count;

    if (!take_u32(in, &count) || count > in->n / SERVICE_BYTES_MIN)
        return false;
    out->services = ARENA_ARRAY(&out->arena, snapshot_service, count + 1);
    for (; out->service_count < count; out->service_count++)
        if (!take_service(in, out, &out->services[out->service_count]))
            return false;
    return true;
}

parse snapshot_decode(str bytes, snapshot *out)
{
    *out = (snapshot){ 0 };
    if (str_starts(bytes, magic)) {
        str in = str_from(bytes, magic.n);
        if (take(&in, &out->generation, sizeof out->generation) && take_base(&in, out) && take_services(&in, out) &&
            in.n == 0)
            return PARSE_DONE;
    }
    snapshot_free(out);
    return PARSE_BAD;
}

void snapshot_free(snapshot *s)
{
    arena_free(&s->arena);
    *s = (snapshot){ 0 };
}

const snapshot_service *snapshot_service_find(const snapshot *s, str key)
{
    for (size_t i = 0; i < s->service_count; i++)
        if (str_equal(s->services[i].key, key))
            return &s->services[i];
    return NULL;
}

const config *config_for_service(const snapshot *s, str key)
{
    const snapshot_service *found = snapshot_service_find(s, key);
    return found ? &found->config : &s->base;
}

fault snapshot_seal(const parsed *p, uint64_t generation, int *out_fd)
{
    buf bytes = buf_new(SNAPSHOT_MAX);
    fault f = snapshot_encode(p, generation, &bytes)
                  ? fd_seal("configuration", buf_str(&bytes), out_fd)
                  : fault_make(FAULT_REFUSED, "3.5", "the configuration is larger than %d bytes", SNAPSHOT_MAX);
    buf_free(&bytes);
    return f;
}

fault snapshot_open(int fd, snapshot *out)
{
    str bytes;
    fault f = fd_map_sealed(fd, SNAPSHOT_MAX, &bytes);
    if (is_fault(f))
        return fault_make(FAULT_BUG, "3.5", "the configuration handed over: %s", f.text);
    parse p = snapshot_decode(bytes, out);
    fd_unmap(&bytes);
    return p == PARSE_DONE ? NO_FAULT
                           : fault_make(FAULT_BUG, "3.5", "the configuration handed over is not of this build");
}
