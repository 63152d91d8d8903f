/* Generated from nothing.json by qapigen: do not edit. */
#pragma once

#include "runtime/qapi-type.h"

