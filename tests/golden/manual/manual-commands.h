/* Generated from manual.json by qapigen: do not edit. */
#pragma once

#include "core/call.h"
#include "gen/manual.h"

/* guest-weigh: Weigh a bundle. */
gboolean guest_weigh(GaAgent *agent, const GuestBundle *args,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
