/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copies through novacron-file-*: each piece has a digest, the whole has one,
 * and a copy that was cut goes on where it was when the same is asked for again.
 */
#pragma once

#include "novacronctl/client.h"

/* Both return the number of bytes, or -1. If `*ret_unfit` is set then, nothing was done: the agent
 * does not have these commands or not allow them, or the file is none for them. */
gint64 copy_ranges_out(QgaClient *client, const char *source, const char *target,
                       gboolean *ret_unfit, GError **error);
gint64 copy_ranges_in(QgaClient *client, int fd, const char *source, const char *target,
                      gboolean *ret_unfit, GError **error);
