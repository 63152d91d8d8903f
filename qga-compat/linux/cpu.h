/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Logical processors as /sys/devices/system/cpu tells them and takes them. */
#pragma once

#include <glib.h>

/* The GuestLogicalProcessors in the order of the folder. It may wait while one goes off line. */
GPtrArray *os_cpus_read(const char *folder, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Take a processor online or offline, which may take seconds. */
gboolean os_cpu_set(const char *folder, gint64 id, gboolean online,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
