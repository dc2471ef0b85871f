/* Templates of reports (bounce_template_file): the grammar of the file, the built-in ones, and the filling in of names. Pure.
 * Runs in: bounce, `postrider check`. The set owns its texts. */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/fault.h"

typedef enum report_kind { REPORT_OF_FAILURE, REPORT_OF_DELAY, REPORT_OF_SUCCESS, REPORT_KINDS } report_kind;

typedef struct report_template {
    str charset, from, subject, postmaster_subject;
    str text; /* lines end in LF */
} report_template;

typedef struct report_templates {
    arena arena;
    report_template of[REPORT_KINDS];
} report_templates;

enum { REPORT_TEMPLATE_FILE_MAX = 64 * 1024 };

void report_templates_default(report_templates *out);

/* Templates of the file; those that it does not have are the built-in ones. Fails: FAULT_REFUSED with *out_line (from 1), and
 * *out holds the built-in ones alone. report_templates_free in any case. */
fault report_templates_read(str file, report_templates *out, unsigned *out_line);
void report_templates_free(report_templates *t);

/* Appends what stands for a name. False: there is no such name. */
typedef bool report_name(void *context, str name, buf *out);

/* Appends the text with $name, ${name} and $(name) filled in, $$ as one dollar sign, line ends as CRLF. A name that is not known
 * stands for nothing; *out_unknown is the first such one (p NULL: none). False: `out` overflows. */
bool report_text_append(buf *out, str text, report_name *find, void *context, str *out_unknown);
