/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The clock and the time zone of the guest. */
#pragma once

#include <glib.h>

/* What g_time_zone_new() is to be given for the zone that holds without TZ; NULL: nothing better
 * than its own choice. */
const char *os_local_time_zone(void);
