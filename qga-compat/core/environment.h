/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Block and allow lists in the environment, where the environment files of RHEL's
 * and SUSE's units put them: BLACKLIST_RPC, BLOCK_RPCS, FILTER_RPC_ARGS.
 */
#pragma once

#include <glib.h>

/* Add the names that the lists lack, at these positions. */
gboolean ga_environment_read(char ***block, gsize block_position, char ***allow,
                             gsize allow_position, GError **error) G_GNUC_WARN_UNUSED_RESULT;
