/* Conversations and listeners of a process. For lib/daemon only. */
#pragma once
#include "daemon/daemon.h"

void daemon_peer_add(process *d, str role, uint32_t instance, int fd); /* takes fd */
void daemon_peers_open(process *d);

void daemon_listener_add(process *d, str key, int fd); /* takes fd */
void daemon_listeners_open(process *d);
void daemon_listeners_watch(process *d); /* or not: who else of the role accepts has changed */
void daemon_listeners_close(process *d);
void daemon_listeners_renew(process *d); /* drops those that did not come again with this generation */
