/* Generated from structs.json by qapigen: do not edit. */
#pragma once

#include "core/command.h"

/* All commands of this build, in the order of the schemas. */
extern const GaCommandTable ga_command_table;
