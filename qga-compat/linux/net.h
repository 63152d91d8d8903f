/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of /proc/net/dev. */
#pragma once

#include <glib.h>

/* Adds the GuestNetworkInterfaceStat of a line under the interface's name, unless there is one. */
void os_net_counters_add(GHashTable *counters, const char *line);
