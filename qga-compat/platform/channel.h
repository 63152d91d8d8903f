/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The channels that this operating system has. */
#pragma once

#include "core/channel.h"

/* Open the endpoint for `owner`, in the default main context. An error is a chain of lines for
 * ga_log_chain(). */
GaChannel *os_channel_open(const GaEndpoint *endpoint, const GaChannelEvents *events,
                           gpointer owner, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The path that a method has when none is configured, or NULL. */
const char *os_channel_default_path(const char *method);
