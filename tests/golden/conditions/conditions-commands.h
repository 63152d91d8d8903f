/* Generated from conditions.json by qapigen: do not edit. */
#pragma once

#include "core/call.h"
#include "gen/conditions.h"

/* guest-here */
gboolean guest_here(GaAgent *agent, const GuestHereArgs *args,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
