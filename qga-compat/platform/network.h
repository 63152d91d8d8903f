/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The network as the system tells it. */
#pragma once

#include <glib.h>

/* All interfaces, as GuestNetworkInterface, in the order of the system. It may wait for whoever
 * configures one; any thread may call it. */
GPtrArray *os_network_interfaces(GError **error) G_GNUC_WARN_UNUSED_RESULT;
