/* Generated from nothing.json by qapigen: do not edit. */
#include "gen/nothing.h"
