/* What the values of a configuration must be besides each within its range: names known, paths absolute, networks
 * readable, limits in order, no relay for strangers, the roles that need each other present. Problems go to the parsed
 * configuration. */
#pragma once
#include "conf/scope.h"

/* Names that main.cf sets or a service overrides are parameters, or names of the administrator's own that something
 * uses. */
void check_names(parsed *p);

/* One scope; `role` is that of the service, or ROLE_COUNT for main.cf alone. */
void check_values(scope *s, const config *c, service_role role);

/* The rows of master.cf together. */
void check_services(parsed *p);
