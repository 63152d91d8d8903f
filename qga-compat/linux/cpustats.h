/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of /proc/stat. */
#pragma once

#include <glib.h>

/* Adds the GuestCpuStats of a processor's line, nothing for other lines. FALSE for one of a
 * processor that has too few numbers. */
gboolean os_cpustats_add(GPtrArray *list, const char *line);
