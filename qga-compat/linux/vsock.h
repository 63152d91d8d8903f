/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Listening on AF_VSOCK. */
#pragma once

#include <glib.h>

/* `path` is CID:PORT. -1 and an error with upstream's text. */
gint os_vsock_listen(const char *path, GError **error);

/* Only the host: in the guest every local user can connect to the socket as well. */
gboolean os_vsock_admits_host(gint fd);
