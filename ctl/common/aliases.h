/* Indexed tables built by command, with their mistakes said. Runs in: postrider map, newaliases, sendmail -bi. */
#pragma once
#include "conf/config.h"
#include "db/table.h"

/* Builds "type:name" from its text; mistakes and doubles go to the error output with file and line. */
fault table_make(const char *spec, bool is_alias, const table_context *context);

/* All of alias_database. Returns the exit status (sysexits). */
int aliases_make(const config *c);
