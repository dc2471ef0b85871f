#include "base/num.h"
#include "os/file.h"
#include "store/internal.h"

/* Version 3: "3 V<uidvalidity> N<next uid> G<id>", then "<uid> [fields] :<file name>". Version 1: "1 <uidvalidity>
 * <next uid>", then "<uid> <file name>". A list that cannot be read to its end of header is taken as none. */

enum { UIDLIST_MAX = 256 << 20 };

static bool number_read(str s, uint32_t *out)
{
    uint64_t n;
    if (!num_parse(s, 1, UINT32_MAX, &n))
        return false;
    *out = (uint32_t)n;
    return true;
}

static bool header_read(str line, uidlist *out)
{
    str word, rest = line;
    if (!str_word(&rest, " ", &word))
        return false;
    if (str_equal(word, STR("1")))
        return str_word(&rest, " ", &word) && number_read(word, &out->uidvalidity) && str_word(&rest, " ", &word) &&
               number_read(word, &out->uidnext);
    if (!str_equal(word, STR("3")))
        return false;
    while (str_word(&rest, " ", &word)) {
        if (word.p[0] == 'V' && !number_read(str_from(word, 1), &out->uidvalidity))
            return false;
        if (word.p[0] == 'N' && !number_read(str_from(word, 1), &out->uidnext))
            return false;
    }
    return out->uidvalidity && out->uidnext;
}

void uidlist_read(int dirfd, uidlist *out)
{
    str line;
    *out = (uidlist){ .text = buf_new(UIDLIST_MAX) };
    if (is_fault(file_read(dirfd, "dovecot-uidlist", &out->text)))
        return;
    out->rows = buf_str(&out->text);
    if (!str_cut(&out->rows, '\n', &line) || !header_read(line, out))
        out->uidvalidity = 0;
}

/* UIDs must rise from row to row; what is behind a row that does not is left to be numbered afresh. */
static bool row_read(str line, uint32_t *uid, str *name)
{
    size_t space = str_find(line, ' ');
    uint32_t last = *uid;
    if (!number_read(str_upto(line, space), uid) || *uid <= last)
        return false;
    str rest = str_from(line, space + 1);
    size_t at = rest.n && rest.p[0] == ':' ? 0 : str_find(rest, ' ');
    while (at < rest.n && rest.p[at] == ' ' && at + 1 < rest.n && rest.p[at + 1] != ':')
        at += 1 + str_find(str_from(rest, at + 1), ' ');
    bool has_fields = at < rest.n;
    *name = !has_fields ? rest : str_from(rest, rest.p[at] == ':' ? at + 1 : at + 2);
    return true;
}

void uidlist_import(box_writer *w, const uidlist *u)
{
    str rest = u->rows, line, name;
    uint32_t uid = 0;
    maildir_name parts;

    if (u->uidvalidity == 0)
        return;
    while (str_cut(&rest, '\n', &line)) {
        if (line.n == 0)
            continue;
        if (!row_read(line, &uid, &name))
            break;
        if (!maildir_name_read(name, &parts))
            continue;
        record r = { .stored_bytes = parts.stored_bytes, .wire_bytes = parts.wire_bytes };
        box_writer_put(w, uid, &r, true); /* flags come from the file's name, with the merge */
        box_writer_name(w, uid, parts.base);
    }
    uint32_t next = uid < UINT32_MAX ? uid + 1 : uid;
    w->box.uidnext = u->uidnext > next ? u->uidnext : next;
    w->box.recent_from = next; /* Dovecot's sessions had them */
    w->is_box_changed = true;
}
