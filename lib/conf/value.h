/* The value of a parameter as text, for texts that name it (templates of reports). Pure. */
#pragma once
#include "base/buf.h"
#include "conf/parameters.h"

/* Appends the value. A name of a time may end in _seconds, _minutes, _hours, _days or _weeks: it is then given in that unit,
 * cut to a whole number; without, as 5d. False: there is no such parameter, or `out` overflows. */
bool config_value_append(const config *c, str name, buf *out);
