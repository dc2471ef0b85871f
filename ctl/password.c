#include "ctl/password.h"
#include "base/memory.h"
#include <crypt.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

typedef struct scheme {
    str name, written; /* as asked for; as it stands in the user file */
    const char *prefix; /* of crypt(5); NULL: as it is */
} scheme;

static const scheme schemes[] = {
    { STR_ROW("yescrypt"), STR_ROW("{CRYPT}"), "$y$" },
    { STR_ROW("crypt"), STR_ROW("{CRYPT}"), "$y$" },
    { STR_ROW("sha512"), STR_ROW("{SHA512-CRYPT}"), "$6$" },
    { STR_ROW("sha512-crypt"), STR_ROW("{SHA512-CRYPT}"), "$6$" },
    { STR_ROW("plain"), STR_ROW("{PLAIN}"), NULL },
};

static const scheme *scheme_find(str name)
{
    if (name.n == 0)
        return &schemes[0];
    for (size_t i = 0; i < COUNT_OF(schemes); i++)
        if (str_equal_nocase(schemes[i].name, name))
            return &schemes[i];
    return NULL;
}

static const char *flaw_of(str password)
{
    if (password.n == 0)
        return "the password is empty";
    if (password.n > PASSWORD_BYTES_MAX - 1)
        return "the password is too long";
    for (size_t i = 0; i < password.n; i++)
        if ((unsigned char)password.p[i] < ' ' || password.p[i] == 0x7f)
            return "there is a control byte in the password";
    return NULL;
}

static fault crypt_append(const scheme *s, str password, buf *out)
{
    char setting[CRYPT_GENSALT_OUTPUT_SIZE], text[PASSWORD_BYTES_MAX];
    struct crypt_data *work = memory_get(sizeof *work);
    fault f = NO_FAULT;
    memcpy(text, password.p, password.n);
    text[password.n] = 0;
    const char *made = crypt_gensalt_rn(s->prefix, 0, NULL, 0, setting, sizeof setting) ? crypt_r(text, setting, work) : NULL;
    if (made == NULL || made[0] == '*')
        f = fault_errno("the password cannot be hashed");
    else
        buf_printf(out, "%.*s%s", STR_ARG(s->written), made);
    secret_wipe(text, sizeof text);
    secret_wipe(work, sizeof *work);
    free(work);
    return f;
}

fault password_hash(secret password, str name, buf *out)
{
    const scheme *s = scheme_find(name);
    const char *flaw = flaw_of(password.hidden);
    if (s == NULL)
        return fault_make(FAULT_REFUSED, "3.5", "there is no scheme %.*s: yescrypt, sha512 or plain",
                          STR_ARG(str_upto(name, 40)));
    if (flaw)
        return fault_make(FAULT_REFUSED, "7.0", "%s", flaw);
    if (s->prefix)
        return crypt_append(s, password.hidden, out);
    if (str_has(password.hidden, ':'))
        return fault_make(FAULT_REFUSED, "7.0", "a plain password cannot have a colon");
    buf_append(out, s->written);
    buf_append(out, password.hidden);
    return NO_FAULT;
}

/* One line without its end; what stands behind it is not looked at. */
static bool line_read(buf *out)
{
    char c;
    ssize_t n;
    while ((n = read(STDIN_FILENO, &c, 1)) == 1 && c != '\n')
        buf_append_char(out, c);
    if (out->n && out->p[out->n - 1] == '\r')
        out->n--;
    return n == 1 || (n == 0 && out->n > 0);
}

static bool prompt(const char *before, str user, buf *out)
{
    fprintf(stderr, "%s %.*s: ", before, STR_ARG(user));
    bool is_read = line_read(out);
    fputc('\n', stderr);
    return is_read;
}

static fault ask_twice(str user, buf *out)
{
    struct termios shown, hidden;
    buf again = buf_new(out->max);
    if (tcgetattr(STDIN_FILENO, &shown) != 0)
        return fault_errno("the terminal");
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    bool is_read = prompt("New password of", user, out) && prompt("The same again for", user, &again);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    bool is_same = is_read && str_equal(buf_str(out), buf_str(&again));
    if (again.p)
        secret_wipe(again.p, again.capacity);
    buf_free(&again);
    return is_same ? NO_FAULT : fault_make(FAULT_REFUSED, "7.0", is_read ? "these are two passwords" : "no password came");
}

fault password_ask(str user, buf *out)
{
    fault f = isatty(STDIN_FILENO) ? ask_twice(user, out)
              : line_read(out)     ? NO_FAULT
                                   : fault_make(FAULT_REFUSED, "7.0", "no password came by the input");
    return !is_fault(f) && out->overflow ? fault_make(FAULT_REFUSED, "7.0", "the password is too long") : f;
}
