/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A channel over a listening stream socket: one client at a time, others wait in its backlog. */
#pragma once

#include "core/channel.h"

/* May this client be served? Asked once, with its connected descriptor; NULL: all may. */
typedef gboolean (*OsSocketAdmits)(gint fd);

/* Takes over `listen_fd`, which listens already. */
GaChannel *os_socket_channel_new(gint listen_fd, OsSocketAdmits admits,
                                 const GaChannelEvents *events, gpointer owner);

/* -1 and an error with upstream's text. An empty path makes a temporary one. With `is_private`
 * the socket's mode is 0600. */
gint os_unix_listen(const char *path, gboolean is_private, GError **error);

/* Only root and ourselves. */
gboolean os_unix_admits_private(gint fd);
