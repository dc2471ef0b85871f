/* The subcommands of postrider, one function each: they take the invocation as main.c read it and return the exit status. */
#pragma once
#include "ctl/command.h"

int command_start(invocation *in);
int command_stop(invocation *in);
int command_reload(invocation *in);
int command_status(invocation *in);
int command_check(invocation *in);
int command_config_verb(invocation *in);
int command_queue(invocation *in);
int command_map(invocation *in);
int command_users(invocation *in);
int command_explain(invocation *in);
