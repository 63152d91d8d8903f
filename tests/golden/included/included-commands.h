/* Generated from included.json by qapigen: do not edit. */
#pragma once

#include "core/call.h"
#include "gen/included.h"
