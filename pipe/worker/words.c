#include "pipe/worker/words.h"
#include <paths.h>
#include <unistd.h>

enum { WORDS_MAX = 4096 };

static const char blanks[] = " \t";

static bool is_plain(str command)
{
    static const char marks[] = "!@%-_=+:,./ \t";
    for (size_t i = 0; i < command.n; i++) {
        char c = command.p[i];
        bool is_word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_word && (c == '\0' || memchr(marks, c, sizeof marks - 1) == NULL))
            return false;
    }
    return true;
}

/* NULL: no folder of the path has it. */
static const char *path_find(const char *name, arena *a)
{
    str rest = STR(_PATH_DEFPATH), folder;
    if (strchr(name, '/'))
        return name;
    while (str_cut(&rest, ':', &folder)) {
        const char *path = arena_printf(a, "%.*s/%s", STR_ARG(folder), name).p;
        if (access(path, X_OK) == 0)
            return path;
    }
    return NULL;
}

static char *writable(str s, arena *a)
{
    return (char *)(uintptr_t)arena_copy(a, s).p;
}

static bool split(str command, arena *a, command_words *out)
{
    str rest = command, word;
    size_t n = 0;
    while (str_word(&rest, blanks, &word))
        n++;
    if (n == 0 || n > WORDS_MAX)
        return false;
    out->argv = ARENA_ARRAY(a, char *, n + 1);
    rest = command;
    for (size_t i = 0; str_word(&rest, blanks, &word); i++)
        out->argv[i] = writable(word, a);
    out->path = path_find(out->argv[0], a);
    return out->path != NULL;
}

command_words words_read(str command, arena *a)
{
    command_words out = { 0 };
    if (is_plain(command) && split(command, a, &out))
        return out;
    out.path = _PATH_BSHELL;
    out.argv = ARENA_ARRAY(a, char *, 4);
    out.argv[0] = writable(STR("sh"), a);
    out.argv[1] = writable(STR("-c"), a);
    out.argv[2] = writable(command, a);
    return out;
}
