/* Conversations and listeners of a process. For lib/daemon only. */
#pragma once
#include "daemon/daemon.h"

void daemon_peer_add(daemon *d, str role, uint32_t instance, int fd); /* takes fd */
void daemon_peers_open(daemon *d);

void daemon_listener_add(daemon *d, str service, int fd); /* takes fd */
void daemon_listeners_open(daemon *d);
