/* Messages between processes. A message is one list of fields; IPC_MESSAGE turns it into a struct, an encoder and a decoder.
 * The decoder trusts nothing: it checks every length, and that nothing is left over. Views in a decoded message point into
 * the frame. Fails: PARSE_BAD; the caller drops that peer and lives on. */
#pragma once
#include "base/parse.h"
#include "base/secret.h"
#include "base/str.h"
#include <stdint.h>

typedef struct frame { /* being written or read; never grows past what the caller gave */
    unsigned char *p;
    size_t n, max;
    bool overflow;
} frame;

static inline void frame_put(frame *f, const void *bytes, size_t n)
{
    if (n > f->max - f->n) {
        f->overflow = true;
        return;
    }
    if (n > 0)
        memcpy(f->p + f->n, bytes, n);
    f->n += n;
}

static inline bool frame_get(frame *f, void *bytes, size_t n)
{
    if (n > f->max - f->n)
        return false;
    memcpy(bytes, f->p + f->n, n);
    f->n += n;
    return true;
}

/* The kinds of fields: IPC_FIELD(u32, …) is an ipc_u32. */
typedef uint32_t ipc_u32;
typedef uint64_t ipc_u64;
typedef str ipc_text;
typedef secret ipc_secret;

static inline void put_u32(frame *f, ipc_u32 v)
{
    frame_put(f, &v, sizeof v);
}

static inline void put_u64(frame *f, ipc_u64 v)
{
    frame_put(f, &v, sizeof v);
}

static inline void put_text(frame *f, ipc_text v)
{
    put_u32(f, (ipc_u32)v.n);
    frame_put(f, v.p, v.n);
}

static inline bool get_u32(frame *f, ipc_u32 *out)
{
    return frame_get(f, out, sizeof *out);
}

static inline bool get_u64(frame *f, ipc_u64 *out)
{
    return frame_get(f, out, sizeof *out);
}

static inline bool get_text(frame *f, ipc_text *out)
{
    ipc_u32 n;
    if (!get_u32(f, &n) || n > f->max - f->n)
        return false;
    *out = (ipc_text){ (const char *)f->p + f->n, n };
    f->n += n;
    return true;
}

static inline void put_secret(frame *f, ipc_secret v)
{
    put_text(f, v.hidden);
}

static inline bool get_secret(frame *f, ipc_secret *out)
{
    return get_text(f, &out->hidden);
}

#define IPC_FIELD(type, name) ipc_##type name;
#define IPC_PUT(type, name) put_##type(f, m->name);
#define IPC_GET(type, name)                                                                                            \
    if (!get_##type(&f, &out->name))                                                                                   \
        return PARSE_BAD;

/* struct m { … }; bool m_encode(const m *, frame *): false when it does not fit; parse m_decode(str, m *out). */
#define IPC_MESSAGE(message, FIELDS)                                                                                   \
    typedef struct message {                                                                                           \
        FIELDS(IPC_FIELD)                                                                                              \
    } message;                                                                                                         \
    static inline bool message##_encode(const message *m, frame *f)                                                    \
    {                                                                                                                  \
        FIELDS(IPC_PUT)                                                                                                \
        return !f->overflow;                                                                                           \
    }                                                                                                                  \
    static inline parse message##_decode(str bytes, message *out)                                                      \
    {                                                                                                                  \
        frame f = { (unsigned char *)(uintptr_t)bytes.p, 0, bytes.n, false };                                          \
        FIELDS(IPC_GET)                                                                                                \
        return f.n == f.max ? PARSE_DONE : PARSE_BAD;                                                                  \
    }
