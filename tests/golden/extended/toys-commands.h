/* Generated from toys/schema.json by qapigen: do not edit. */
#pragma once

#include "core/call.h"
#include "gen/toys.h"

/* novacron-toy-list: List the toys. */
GPtrArray *novacron_toy_list(GaAgent *agent, GError **error) G_GNUC_WARN_UNUSED_RESULT;
