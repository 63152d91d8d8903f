/* Generated from structs.json by qapigen: do not edit. */
#include "gen/commands.h"

#include "gen/structs-commands.h"

const GaCommandTable ga_command_table = { NULL, 0, NULL, NULL, 0 };
