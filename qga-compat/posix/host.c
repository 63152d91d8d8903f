/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest as a whole: its name and its load. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "gen/guest-agent-commands.h"
#include "runtime/qapi-error.h"

/* POSIX allows names of 255 bytes; with less room than the longest name and its NUL, upstream
 * fails on Linux names of 64. */
#define HOST_NAME_SIZE 256

GuestHostName *
guest_get_host_name(G_GNUC_UNUSED GaAgent *agent, GError **error)
{
    char name[HOST_NAME_SIZE];

    if (gethostname(name, sizeof name) < 0) {
        qapi_set_errno(error, errno, "cannot get hostname");
        return NULL;
    }
    name[sizeof name - 1] = '\0';

    GuestHostName *host = g_new0(GuestHostName, 1);
    host->host_name = g_strdup(name);
    return host;
}

GuestLoadAverage *
guest_get_load(G_GNUC_UNUSED GaAgent *agent, GError **error)
{
    double load[3];

    if (getloadavg(load, G_N_ELEMENTS(load)) < (gint)G_N_ELEMENTS(load)) {
        qapi_set_errno(error, errno, "cannot query load average");
        return NULL;
    }

    GuestLoadAverage *average = g_new0(GuestLoadAverage, 1);
    average->load1m = load[0];
    average->load5m = load[1];
    average->load15m = load[2];
    return average;
}
