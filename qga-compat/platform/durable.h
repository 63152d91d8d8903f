/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small files that outlive a loss of power. */
#pragma once

#include <glib.h>

/* It waits for the disk. What a crash leaves at `path` is the old text or the new
 * one. FALSE: errno tells why, and the old one is there. */
gboolean os_durable_write(const char *path, const char *text, gsize size) G_GNUC_WARN_UNUSED_RESULT;
