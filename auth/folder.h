/* Sees by inotify when the user file changes, so that what others remember of users is corrected also when nobody asks.
 * Runs in: auth. Where the kernel refuses, questions still look once a second. */
#pragma once
#include "auth/auth.h"

void folder_watch(auth *a);
