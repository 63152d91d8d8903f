/* Generated from unions.json by qapigen: do not edit. */
#pragma once

#include "core/call.h"
#include "gen/unions.h"

/* guest-draw */
GuestAll *guest_draw(GaAgent *agent, const GuestDrawArgs *args,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* guest-shapes */
GPtrArray *guest_shapes(GaAgent *agent, GError **error) G_GNUC_WARN_UNUSED_RESULT;
