/* Generated from extended.json by qapigen: do not edit. */
#pragma once

#include "core/call.h"
#include "gen/extended.h"

/* guest-exec */
gboolean guest_exec(GaAgent *agent, const GuestA *args, GError **error) G_GNUC_WARN_UNUSED_RESULT;
