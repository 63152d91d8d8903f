/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Blocks of memory as /sys/devices/system/memory/ tells them and takes them. */
#pragma once

#include <glib.h>

#include "gen/guest-agent.h"

/* The GuestMemoryBlocks in the order of the folder; none without the folder. `folder` ends with
 * a slash, here and below. */
GPtrArray *os_memory_blocks_read(const char *folder, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Take a block online or offline, which may take seconds, and say what became of it. */
GuestMemoryBlockResponse *os_memory_block_set(const char *folder, guint64 index, gboolean online);

/* The size of a block in bytes. */
gboolean os_memory_block_size(const char *folder, guint64 *ret_size,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;
