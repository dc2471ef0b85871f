/* What `postrider config` prints. No I/O. Values are those of main.cf and the defaults, without any service's -o. */
#pragma once
#include "conf/config.h"

typedef enum listing {
    LIST_ALL,      /* every parameter as it is in effect, not expanded: postconf */
    LIST_SET,      /* what main.cf sets: postconf -n */
    LIST_DEFAULTS, /* the defaults: postconf -d */
    LIST_EXPANDED, /* every parameter as it is in effect, expanded: postconf -x */
} listing;

/* Appends lines "name = value", sorted by name; of the parameters in `names` only when name_count is not 0.
 * FAULT_REFUSED: a name is not known; the others are listed. */
fault config_list(parsed *p, listing kind, const str *names, size_t name_count, buf *out);

/* Appends one value alone: postconf -h. FAULT_REFUSED as above. */
fault config_value(parsed *p, listing kind, str name, buf *out);
