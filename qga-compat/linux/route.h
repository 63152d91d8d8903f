/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of /proc/net/route and /proc/net/ipv6_route. */
#pragma once

#include <glib.h>

/* Adds the GuestNetworkRoute of a line, nothing for one that is no route. */
void os_routes_add_ipv4(GPtrArray *routes, const char *line);
void os_routes_add_ipv6(GPtrArray *routes, const char *line);
