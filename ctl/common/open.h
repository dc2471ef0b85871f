/* The configuration, as the commands need it: errors are said, and what a broken file still tells can be used, so that a suite
 * with a mistake in its main.cf can be stopped and its queue looked at. Runs in: the commands. */
#pragma once
#include "conf/config.h"

/* True: the configuration is without errors. Problems go to the error output when `says_problems`. parsed_free in any case. */
bool config_open(const char *directory, bool says_problems, parsed *out);

/* The folder as an absolute path, in `a`; as it is when there is no such folder. The path of main.cf will do as well. */
const char *config_directory(const char *directory, arena *a);

/* Whether so much could be read that places are known: what a command needs that only looks, stops or submits. */
bool config_is_usable(const parsed *p);

/* 0, 1 and 2 that are closed become /dev/null, so that no file of ours gets such a number. *out_had_input: 0 was open. */
bool descriptors_complete(bool *out_had_input);
