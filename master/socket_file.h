/* Sockets in the file system. Runs in: master, as root with few capabilities: what it may not write to stays as it is. */
#pragma once
#include "base/fault.h"

/* Binds and listens; everybody who may enter the folder may connect. What a socket left behind that nobody listens on any more goes;
 * with `is_ours` (the folder is the suite's own) one that still has a listener goes as well. */
fault socket_file_listen(const char *path, int type, bool is_ours, int *out_fd);

/* Removes the socket there, if it is one. */
void socket_file_remove(const char *path);
