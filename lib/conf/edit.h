/* Changes of main.cf by command: `postrider config name=value`. Comments, order and all other lines stay as they are. */
#pragma once
#include "base/buf.h"
#include "base/fault.h"

/* Appends main.cf with name = value in place of its last definition, or at the end. A value without $name is checked.
 * FAULT_REFUSED: no such parameter (nor one of the administrator's own in this file), or a value out of its range. */
fault config_edit(str main_cf, str name, str value, buf *out);

/* The same on a file, which is replaced durably and at once, with its owner and mode. */
fault config_set(const char *file, str name, str value);
