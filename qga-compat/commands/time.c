/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest-get-time, guest-set-time and guest-get-timezone. The zone is made anew for
 * every call, as an administrator may change it while the agent runs; GLib's own
 * notion of the local zone is avoided, since it misses a zone file that was copied
 * to its place.
 */
#include "platform/time.h"
#include "commands/helper.h"
#include "core/call.h"
#include "gen/guest-agent-commands.h"
#include "runtime/qapi-error.h"

#define NANOSECONDS_PER_SECOND G_GINT64_CONSTANT(1000000000)
#define NANOSECONDS_PER_MICROSECOND 1000

/* Upstream's years, as the local calendar counts them. */
#define FIRST_YEAR 1970
#define LAST_YEAR 2069

gboolean
guest_get_time(G_GNUC_UNUSED GaAgent *agent, gint64 *ret_value, G_GNUC_UNUSED GError **error)
{
    *ret_value = g_get_real_time() * 1000;
    return TRUE;
}

static gboolean
is_possible(gint64 seconds)
{
    GDate date;

    g_date_clear(&date, 1);
    g_date_set_time_t(&date, (time_t)seconds);
    return g_date_get_year(&date) >= FIRST_YEAR && g_date_get_year(&date) <= LAST_YEAR;
}

static gboolean
set_clock(gint64 nanoseconds, GError **error)
{
    gint64 seconds = nanoseconds / NANOSECONDS_PER_SECOND;
    gint64 rest = nanoseconds % NANOSECONDS_PER_SECOND;

    if (!is_possible(seconds)) {
        /* Upstream adds the text of whatever error there was before. */
        qapi_set_error(error, "Invalid time");
        return FALSE;
    }
    return os_clock_set(seconds, (gint32)(rest / NANOSECONDS_PER_MICROSECOND), error);
}

static void
clock_done(GError *error, gpointer user_data)
{
    GaCall *call = user_data;

    if (error)
        ga_call_fail(call, error);
    else
        guest_set_time_return(call);
}

void
guest_set_time(GaCall *call, const GuestSetTimeArgs *args)
{
    GaHelperSpec spec = {
        .argv = os_clock_command(args->has_time ? OS_CLOCK_SAVE : OS_CLOCK_RESTORE),
        .action = "set hardware clock to system time",
    };
    GError *error = NULL;

    if (args->has_time && !set_clock(args->time, &error))
        ga_call_fail(call, error);
    else
        ga_helper_run(&spec, clock_done, call);
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
