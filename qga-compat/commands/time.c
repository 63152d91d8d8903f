/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest-get-time and guest-get-timezone. The zone is made anew for every call, as
 * an administrator may change it while the agent runs; GLib's own notion of the
 * local zone is avoided, since it misses a zone file that was copied to its place.
 */
#include "platform/time.h"
#include "gen/guest-agent-commands.h"
#include "runtime/qapi-error.h"

gboolean
guest_get_time(G_GNUC_UNUSED GaAgent *agent, gint64 *ret_value, G_GNUC_UNUSED GError **error)
{
    *ret_value = g_get_real_time() * 1000;
    return TRUE;
}

GuestTimezone *
guest_get_timezone(G_GNUC_UNUSED GaAgent *agent, GError **error)
{
    const char *name = g_getenv("TZ");
    g_autoptr(GTimeZone) zone = g_time_zone_new(name ? name : os_local_time_zone());
    g_autoptr(GDateTime) now = g_date_time_new_now(zone);

    if (!now) {
        qapi_set_error(error, "Couldn't retrieve local timezone");
        return NULL;
    }

    GuestTimezone *result = g_new0(GuestTimezone, 1);
    result->zone = g_strdup(g_date_time_get_timezone_abbreviation(now));
    result->offset = g_date_time_get_utc_offset(now) / G_TIME_SPAN_SECOND;
    return result;
}
