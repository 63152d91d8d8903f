/* Generated from nothing.json by qapigen: do not edit. */
#pragma once

#include "core/call.h"
#include "gen/nothing.h"
