/* Generated from toys/schema.json by qapigen: do not edit. */
#pragma once

#include "core/call.h"
#include "gen/toys.h"

/* What this area needs and whether it is there. */
void ga_probe_toys(GaAgent *agent, GaAreaReport *report);

/* novacron-toys-list: List the toys. */
GPtrArray *novacron_toys_list(GaAgent *agent, GError **error) G_GNUC_WARN_UNUSED_RESULT;
