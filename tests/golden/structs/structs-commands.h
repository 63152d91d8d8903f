/* Generated from structs.json by qapigen: do not edit. */
#pragma once

#include "core/call.h"
#include "gen/structs.h"
