/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of /proc/diskstats. */
#pragma once

#include <glib.h>

/* Adds the GuestDiskStatsInfo of a line, nothing for one that is none of a disk. */
void os_diskstats_add(GPtrArray *list, const char *line);
