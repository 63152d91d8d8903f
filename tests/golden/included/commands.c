/* Generated from included.json by qapigen: do not edit. */
#include "gen/commands.h"

#include "gen/included-commands.h"

const GaCommandTable ga_command_table = { NULL, 0, NULL, NULL, 0 };
