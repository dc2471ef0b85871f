#include "mail/report_template.h"

/* What a file may define; verify_template is Postfix's, for probes that this system does not send. */
static const str template_names[] = {
    [REPORT_OF_FAILURE] = STR_ROW("failure_template"),
    [REPORT_OF_DELAY] = STR_ROW("delay_template"),
    [REPORT_OF_SUCCESS] = STR_ROW("success_template"),
    [REPORT_KINDS] = STR_ROW("verify_template"),
};

#define FROM STR_ROW("MAILER-DAEMON ($mail_name)")

static const report_template built_in[REPORT_KINDS] = {
    [REPORT_OF_FAILURE] = {
        .charset = STR_ROW("us-ascii"),
        .from = FROM,
        .subject = STR_ROW("Your mail could not be delivered"),
        .postmaster_subject = STR_ROW("Postmaster copy: mail could not be delivered"),
        .text = STR_ROW("This is the mail system ($mail_name) of $myhostname.\n"
                        "\n"
                        "The message that is attached, whole or by its header, could not be delivered to\n"
                        "whom is named below. It will not be tried again.\n"
                        "\n"
                        "If the reason does not help you, ask the postmaster, with this report.\n"),
    },
    [REPORT_OF_DELAY] = {
        .charset = STR_ROW("us-ascii"),
        .from = FROM,
        .subject = STR_ROW("Your mail is delayed, and still being tried"),
        .postmaster_subject = STR_ROW("Postmaster copy: mail is delayed"),
        .text = STR_ROW("This is the mail system ($mail_name) of $myhostname.\n"
                        "\n"
                        "The message whose header is attached has not reached yet whom is named below.\n"
                        "YOU NEED NOT SEND IT AGAIN. It is tried until it is $maximal_queue_lifetime_days days old; if\n"
                        "all tries fail, another report says so.\n"),
    },
    [REPORT_OF_SUCCESS] = {
        .charset = STR_ROW("us-ascii"),
        .from = FROM,
        .subject = STR_ROW("Your mail was delivered"),
        .postmaster_subject = STR_NONE,
        .text = STR_ROW("This is the mail system ($mail_name) of $myhostname.\n"
                        "\n"
                        "You asked for this report. The message whose header is attached was delivered to whom is\n"
                        "named below, or handed to a system or list that sends no report of its own.\n"),
    },
};

typedef struct reader {
    str rest;
    unsigned line;
    arena *arena;
} reader;

void report_templates_default(report_templates *out)
{
    *out = (report_templates){ 0 };
    memcpy(out->of, built_in, sizeof out->of);
}

void report_templates_free(report_templates *t)
{
    arena_free(&t->arena);
}

static bool line_next(reader *r, str *out)
{
    if (!str_cut(&r->rest, '\n', out) || (out->n == 0 && r->rest.p == NULL))
        return false;
    if (str_ends(*out, STR("\r")))
        out->n--;
    r->line++;
    return true;
}

static fault wrong(const char *what, str word)
{
    return fault_make(FAULT_REFUSED, "3.5", "%s: \"%.*s\"", what, STR_ARG(str_upto(word, 60)));
}

static bool is_printable(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < ' ' || s.p[i] == 0x7f) /* as a signed char: bytes above 127, too */
            return false;
    return s.n > 0;
}

/* RFC 2045 5.1: a token, which goes into Content-Type as it is. */
static bool is_charset(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] >= 0x7f || strchr("()<>@,;:\\\"/[]?=", s.p[i]))
            return false;
    return s.n > 0 && s.n <= 40;
}

static fault header_take(report_template *t, str line)
{
    str value = line, name;
    if (!str_cut(&value, ':', &name) || value.p == NULL)
        return wrong("a line \"Name: value\" is wanted, or an empty one before the text", line);
    const struct {
        str name;
        str *field;
    } fields[] = { { STR("Charset"), &t->charset },
                   { STR("From"), &t->from },
                   { STR("Subject"), &t->subject },
                   { STR("Postmaster-Subject"), &t->postmaster_subject } };
    value = str_trim(value);
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        if (!str_equal_nocase(fields[i].name, str_trim(name)))
            continue;
        if (i == 0 ? !is_charset(value) : !is_printable(value))
            return wrong("the value is empty or has characters that may not stand in a header", name);
        *fields[i].field = value;
        return NO_FAULT;
    }
    return wrong("no such field of a template", name);
}

/* The lines up to the word that ends a template. False: the file ends first. */
static bool block_next(reader *r, str end, str *out)
{
    return line_next(r, out) && !str_equal(*out, end);
}

static fault fields_read(reader *r, str end, report_template *t)
{
    fault f = NO_FAULT;
    for (str line; !is_fault(f);) {
        if (!block_next(r, end, &line))
            return wrong("the template has no text: an empty line is missing before it", end);
        if (line.n == 0)
            break;
        f = header_take(t, line);
    }
    return f;
}

/* From the first field to the word that ends it. The template begins as the built-in one. */
static fault template_read(reader *r, str end, report_template *t)
{
    fault f = fields_read(r, end, t);
    if (is_fault(f))
        return f;
    buf text = buf_new(REPORT_TEMPLATE_FILE_MAX + 1);
    str line = STR_NONE; /* a file that ends here sets none */
    while (block_next(r, end, &line)) {
        buf_append(&text, line);
        buf_append_char(&text, '\n');
    }
    t->text = arena_copy(r->arena, buf_str(&text));
    buf_free(&text);
    return str_equal(line, end) ? NO_FAULT
                                : wrong("the template does not end: a line of its last word is missing", end);
}

/* "failure_template = <<EOF" */
static fault definition_take(reader *r, str line, report_templates *out)
{
    str end = line, name;
    str_cut(&end, '=', &name);
    name = str_trim(name);
    end = str_trim(end);
    if (!str_starts(end, STR("<<")) || str_trim(str_from(end, 2)).n == 0)
        return wrong("a line \"name = <<END\" is wanted", line);
    end = str_trim(str_from(end, 2));
    for (size_t i = 0; i < COUNT_OF(template_names); i++) {
        if (!str_equal(template_names[i], name))
            continue;
        report_template t = built_in[i < REPORT_KINDS ? i : REPORT_OF_SUCCESS];
        fault f = template_read(r, end, &t);
        if (!is_fault(f) && i < REPORT_KINDS)
            out->of[i] = t;
        return f;
    }
    return wrong("no such template", name);
}

fault report_templates_read(str file, report_templates *out, unsigned *out_line)
{
    report_templates_default(out);
    reader r = { .rest = arena_copy(&out->arena, file), .arena = &out->arena };
    fault f = file.n > REPORT_TEMPLATE_FILE_MAX ? fault_make(FAULT_REFUSED, "3.5", "the file is too large") : NO_FAULT;
    if (str_has(file, '\0'))
        f = fault_make(FAULT_REFUSED, "3.5", "the file has a NUL in it");
    for (str line; !is_fault(f) && line_next(&r, &line);)
        if (str_trim(line).n && str_trim(line).p[0] != '#')
            f = definition_take(&r, line, out);
    *out_line = r.line;
    if (is_fault(f))
        memcpy(out->of, built_in, sizeof out->of);
    return f;
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* The name behind a dollar sign; *rest goes behind it. False: there is none. */
static bool name_take(str *rest, str *out)
{
    char close = rest->n == 0 ? 0 : rest->p[0] == '{' ? '}' : rest->p[0] == '(' ? ')' : 0;
    str s = str_from(*rest, close ? 1 : 0);
    size_t n = 0;
    while (n < s.n && is_name_char(s.p[n]))
        n++;
    if (n == 0 || (close && (n == s.n || s.p[n] != close)))
        return false;
    *out = str_upto(s, n);
    *rest = str_from(s, n + (close ? 1 : 0));
    return true;
}

static void dollar_take(buf *out, str *rest, report_name *find, void *context, str *out_unknown)
{
    str name;
    if (rest->n && rest->p[0] == '$') {
        *rest = str_from(*rest, 1);
        buf_append_char(out, '$');
    } else if (!name_take(rest, &name)) {
        buf_append_char(out, '$');
    } else if (!find(context, name, out) && out_unknown->p == NULL) {
        *out_unknown = name;
    }
}

bool report_text_append(buf *out, str text, report_name *find, void *context, str *out_unknown)
{
    *out_unknown = STR_NONE;
    while (text.n) {
        char c = text.p[0];
        text = str_from(text, 1);
        if (c == '$')
            dollar_take(out, &text, find, context, out_unknown);
        else if (c == '\n')
            buf_append(out, STR("\r\n"));
        else if (c != '\r')
            buf_append_char(out, c);
    }
    return !out->overflow;
}
