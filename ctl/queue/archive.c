#include "ctl/queue/archive.h"
#include "base/checksum.h"
#include "base/num.h"
#include "os/file.h"
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>

enum { PIECE = 64 * 1024, MANIFEST_MAX = 256 * 1024 * 1024, OCTAL_12 = 11, OCTAL_8 = 7 };

static const char first_line[] = "postrider-queue-export 1", manifest_name[] = "MANIFEST";

/* POSIX.1-1988 ustar; texts end in NUL when they do not fill their field. */
typedef struct tar_head {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, linkname[100], magic[6],
        version[2], uname[32], gname[32], major[8], minor[8], prefix[155], rest[12];
} tar_head;
_Static_assert(sizeof(tar_head) == ARCHIVE_BLOCK, "one block");

static fault broken(const char *what)
{
    return fault_make(FAULT_BROKEN, "3.0", "it is no whole export of a queue: %s", what);
}

/* The sum of all octets, those of the sum itself as blanks. */
static unsigned tar_sum(const tar_head *h)
{
    const unsigned char *p = (const unsigned char *)h;
    unsigned sum = 0;
    for (size_t i = 0; i < sizeof *h; i++) {
        bool is_own = i >= offsetof(tar_head, checksum) && i < offsetof(tar_head, type);
        sum += is_own ? ' ' : p[i];
    }
    return sum;
}

static void octal_put(char *to, int digits, uint64_t n)
{
    for (int i = digits; i-- > 0; n >>= 3)
        to[i] = (char)('0' + (n & 7));
}

static fault bytes_write(int fd, const void *p, size_t n)
{
    return file_write_all(fd, (str){ p, n }) ? NO_FAULT : fault_errno("write the export");
}

static fault head_write(int fd, const char *name, uint64_t bytes, uint64_t now_s)
{
    tar_head h = { .type = '0' };
    snprintf(h.name, sizeof h.name, "%s", name);
    octal_put(h.mode, OCTAL_8, 0600);
    octal_put(h.uid, OCTAL_8, 0);
    octal_put(h.gid, OCTAL_8, 0);
    octal_put(h.size, OCTAL_12, bytes);
    octal_put(h.mtime, OCTAL_12, now_s);
    memcpy(h.magic, "ustar", 6);
    memcpy(h.version, "00", 2);
    octal_put(h.checksum, 6, tar_sum(&h)); /* a NUL, then a blank */
    h.checksum[7] = ' ';
    return bytes_write(fd, &h, sizeof h);
}

static fault padding_write(int fd, uint64_t bytes)
{
    static const char zeros[ARCHIVE_BLOCK];
    size_t over = (size_t)(bytes % ARCHIVE_BLOCK);
    return over ? bytes_write(fd, zeros, ARCHIVE_BLOCK - over) : NO_FAULT;
}

fault archive_begin(archive_writer *w, int fd, str host, uint64_t now_s)
{
    *w = (archive_writer){ .fd = fd, .manifest = buf_new(MANIFEST_MAX) };
    buf_printf(&w->manifest, "%s\nhost %.*s\nmade %llu\n", first_line, STR_ARG(host), (unsigned long long)now_s);
    return NO_FAULT;
}

/* States in the file may change while it is read: the sum is of what was written. */
static fault content_write(int fd, int file_fd, uint64_t bytes, uint32_t *out_sum)
{
    static char piece[PIECE];
    *out_sum = 0;
    for (uint64_t done = 0; done < bytes;) {
        size_t n = bytes - done < PIECE ? (size_t)(bytes - done) : PIECE, got;
        if (!file_pread_all(file_fd, piece, n, (off_t)done, &got))
            return fault_errno("read the queue file");
        if (got != n)
            return fault_make(FAULT_BROKEN, "3.0", "the queue file became shorter");
        fault f = bytes_write(fd, piece, n);
        if (is_fault(f))
            return f;
        *out_sum = checksum(*out_sum, (str){ piece, n });
        done += n;
    }
    return NO_FAULT;
}

fault archive_put(archive_writer *w, queue_place place, uint64_t id, int file_fd)
{
    struct stat st;
    char name[ARCHIVE_NAME_MAX];
    uint32_t sum = 0;
    snprintf(name, sizeof name, "%s/%s", queue_place_name(place), queue_id_text(id).text);
    if (fstat(file_fd, &st) != 0)
        return fault_errno("stat the queue file");
    uint64_t bytes = (uint64_t)st.st_size;
    fault f = head_write(w->fd, name, bytes, (uint64_t)st.st_mtime);
    if (!is_fault(f))
        f = content_write(w->fd, file_fd, bytes, &sum);
    if (!is_fault(f))
        f = padding_write(w->fd, bytes);
    if (!is_fault(f) && !buf_printf(&w->manifest, "%08x %llu %s\n", sum, (unsigned long long)bytes, name))
        f = fault_make(FAULT_REFUSED, "3.4", "too many messages for one export");
    w->count++;
    return f;
}

fault archive_end(archive_writer *w)
{
    static const char zeros[2 * ARCHIVE_BLOCK];
    buf_printf(&w->manifest, "end %llu\n", (unsigned long long)w->count);
    fault f = head_write(w->fd, manifest_name, w->manifest.n, 0);
    if (!is_fault(f))
        f = bytes_write(w->fd, w->manifest.p, w->manifest.n);
    if (!is_fault(f))
        f = padding_write(w->fd, w->manifest.n);
    return is_fault(f) ? f : bytes_write(w->fd, zeros, sizeof zeros);
}

void archive_free(archive_writer *w)
{
    buf_free(&w->manifest);
}

static str field(const char *p, size_t n)
{
    return str_upto((str){ p, n }, str_find((str){ p, n }, '\0'));
}

static bool octal_read(str s, uint64_t *out)
{
    *out = 0;
    s = str_trim(s);
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '7')
            return false;
        *out = *out << 3 | (uint64_t)(s.p[i] - '0'); /* twelve digits at most: it fits */
    }
    return s.n > 0;
}

static bool head_is_right(const tar_head *h, uint64_t *out_bytes)
{
    uint64_t sum;
    return memcmp(h->magic, "ustar", 6) == 0 && (h->type == '0' || h->type == '\0') && h->prefix[0] == '\0' &&
           octal_read(field(h->checksum, sizeof h->checksum), &sum) && sum == tar_sum(h) &&
           octal_read(field(h->size, sizeof h->size), out_bytes);
}

/* "deferred/25X6Q05QBFP" */
static bool name_read(str name, archive_member *out)
{
    str place = str_upto(name, str_find(name, '/'));
    for (int p = QUEUE_ACTIVE; p < QUEUE_CORRUPT; p++)
        if (str_equal(place, str_c(queue_place_name((queue_place)p)))) {
            out->place = (queue_place)p;
            return queue_id_read(str_from(name, place.n + 1), &out->id);
        }
    return false;
}

static fault manifest_read(int fd, uint64_t offset, uint64_t bytes, archive *a)
{
    size_t got;
    a->manifest = buf_new(MANIFEST_MAX);
    if (bytes > MANIFEST_MAX || !buf_reserve(&a->manifest, (size_t)bytes))
        return broken("its manifest is too large");
    if (!file_pread_all(fd, a->manifest.p, (size_t)bytes, (off_t)offset, &got))
        return fault_errno("read the export");
    a->manifest.n = got;
    return got == bytes ? NO_FAULT : broken("its manifest is cut off");
}

static bool hex_read(str s, uint32_t *out)
{
    *out = 0;
    for (size_t i = 0; i < s.n; i++) {
        const char *at = s.p[i] ? strchr("0123456789abcdef", s.p[i]) : NULL;
        if (at == NULL)
            return false;
        *out = *out << 4 | (uint32_t)(at - "0123456789abcdef");
    }
    return s.n == 8;
}

/* "CHECKSUM BYTES PLACE/ID", of the member that comes at the same place. */
static bool line_fits(str line, archive_member *m)
{
    str sum, bytes;
    uint64_t n;
    archive_member named = { 0 };
    return str_cut(&line, ' ', &sum) && str_cut(&line, ' ', &bytes) && hex_read(sum, &m->checksum) &&
           num_parse(bytes, 0, UINT64_MAX, &n) && n == m->bytes && name_read(line, &named) && named.id == m->id &&
           named.place == m->place;
}

static bool value_read(str *rest, str name, str *out)
{
    str line;
    if (!str_cut(rest, '\n', &line) || !str_starts(line, name))
        return false;
    *out = str_from(line, name.n);
    return true;
}

static fault manifest_check(archive *a)
{
    str rest = buf_str(&a->manifest), line, made, count;
    uint64_t n;
    if (!str_cut(&rest, '\n', &line) || !str_equal(line, STR("postrider-queue-export 1")) ||
        !value_read(&rest, STR("host "), &a->host) || !value_read(&rest, STR("made "), &made) ||
        !num_parse(made, 0, UINT64_MAX, &a->made_s))
        return broken("its manifest is of another kind");
    for (size_t i = 0; i < a->members.n; i++)
        if (!str_cut(&rest, '\n', &line) || !line_fits(line, &a->members.p[i]))
            return broken("its manifest names other files");
    if (!value_read(&rest, STR("end "), &count) || !num_parse(count, 0, UINT64_MAX, &n) || n != a->members.n || rest.n)
        return broken("its manifest has another end");
    return NO_FAULT;
}

/* Up to the manifest, which is the last. */
static fault members_read(int fd, uint64_t file_bytes, archive *a)
{
    uint64_t at = 0, bytes;
    tar_head h;
    for (;;) {
        size_t got;
        if (!file_pread_all(fd, &h, sizeof h, (off_t)at, &got))
            return fault_errno("read the export");
        if (got != sizeof h || !head_is_right(&h, &bytes))
            return broken(got != sizeof h ? "it is cut off" : "a header is damaged");
        at += sizeof h;
        if (bytes > file_bytes - at)
            return broken("it is cut off");
        str name = field(h.name, sizeof h.name);
        if (str_equal(name, str_c(manifest_name)))
            return manifest_read(fd, at, bytes, a);
        archive_member m = { .offset = at, .bytes = bytes };
        if (!name_read(name, &m))
            return broken("there is a file in it that is no message");
        *vec_add(&a->members) = m;
        at += (bytes + ARCHIVE_BLOCK - 1) / ARCHIVE_BLOCK * ARCHIVE_BLOCK;
        if (at > file_bytes)
            return broken("it is cut off");
    }
}

fault archive_open(archive *a, int fd)
{
    struct stat st;
    *a = (archive){ 0 };
    if (fstat(fd, &st) != 0)
        return fault_errno("stat the export");
    if (!S_ISREG(st.st_mode))
        return fault_make(FAULT_REFUSED, "5.4", "the export must be a regular file: it is read twice");
    fault f = members_read(fd, (uint64_t)st.st_size, a);
    return is_fault(f) ? f : manifest_check(a);
}

void archive_close(archive *a)
{
    vec_free(&a->members);
    buf_free(&a->manifest);
}

fault archive_copy(int fd, const archive_member *m, int to_fd)
{
    static char piece[PIECE];
    uint32_t sum = 0;
    for (uint64_t done = 0; done < m->bytes;) {
        size_t n = m->bytes - done < PIECE ? (size_t)(m->bytes - done) : PIECE, got;
        if (!file_pread_all(fd, piece, n, (off_t)(m->offset + done), &got) || got != n)
            return fault_errno("read the export");
        if (!file_pwrite_all(to_fd, (str){ piece, n }, (off_t)done))
            return fault_errno("write a copy");
        sum = checksum(sum, (str){ piece, n });
        done += n;
    }
    return sum == m->checksum ? NO_FAULT : fault_make(FAULT_BROKEN, "3.0", "its checksum is wrong");
}
