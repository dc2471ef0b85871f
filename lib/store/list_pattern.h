/* Patterns of LIST and LSUB (RFC 3501 6.3.8): '*' is any run of characters, '%' any run without a delimiter. A name
 * is matched in time linear in its length, however many wildcards there are. The holder owns it: list_pattern_free. */
#pragma once
#include "base/str.h"

typedef struct list_pattern list_pattern;

list_pattern *list_pattern_new(str pattern, char delimiter);
/* INBOX matches without case (RFC 3501 5.1). */
bool list_pattern_matches(const list_pattern *p, str name);
void list_pattern_free(list_pattern *p);
