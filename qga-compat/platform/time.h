/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The clock and the time zone of the guest. */
#pragma once

#include <glib.h>

/* What g_time_zone_new() is to be given for the zone that holds without TZ; NULL: nothing better
 * than its own choice. */
const char *os_local_time_zone(void);

/* Set the system's clock to a time since 1970. `microseconds` have the sign of the whole, and
 * negative ones are an error. The text is the client's. */
gboolean os_clock_set(gint64 seconds, gint32 microseconds,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef enum { OS_CLOCK_SAVE /* to the hardware's clock */, OS_CLOCK_RESTORE } OsClockAction;

/* The command line that does it, NULL-terminated. It lives for ever. */
char *const *os_clock_command(OsClockAction action);
