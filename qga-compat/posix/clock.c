/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The system's clock, the program that knows the hardware's, and where the time zone is set. */
#include <errno.h>
#include <time.h>

#include "platform/time.h"
#include "runtime/qapi-error.h"

#define NANOSECONDS_PER_MICROSECOND 1000

const char *
os_local_time_zone(void)
{
    return "/etc/localtime";
}

gboolean
os_clock_set(gint64 seconds, gint32 microseconds, GError **error)
{
    struct timespec time = { (time_t)seconds, microseconds * NANOSECONDS_PER_MICROSECOND };

    if (time.tv_sec != seconds) {
        qapi_set_error(error, "Time %" G_GINT64_FORMAT " is too large", seconds);
        return FALSE;
    }
    if (clock_settime(CLOCK_REALTIME, &time) < 0) {
        qapi_set_errno(error, errno, "Failed to set time to guest");
        return FALSE;
    }
    return TRUE;
}

char *const *
os_clock_command(OsClockAction action)
{
    static char *const commands[][3] = {
        [OS_CLOCK_SAVE] = { "/sbin/hwclock", "-w", NULL },
        [OS_CLOCK_RESTORE] = { "/sbin/hwclock", "-s", NULL },
    };

    return commands[action];
}
