/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Listening on a unix socket as upstream does: whatever stands at the path makes way. */
#include "posix/channel-socket.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/qapi-error.h"

/* Two clients queue behind the one that is served. */
#define BACKLOG 1

/* A name that nobody has: the file is made and, like any other at the path, removed again. */
static char *
temporary_path(GError **error)
{
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), "qemu-socket-XXXXXX", NULL);
    gint fd = g_mkstemp(path);

    if (fd < 0) {
        qapi_set_errno(error, errno, "Failed to make a temporary socket %s", path);
        return NULL;
    }
    close(fd);
    return g_steal_pointer(&path);
}

static gboolean
bind_path(gint fd, const char *path, gboolean is_private, GError **error)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    if (strlen(path) >= sizeof address.sun_path) {
        qapi_set_error(error, "UNIX socket path '%s' is too long", path);
        return FALSE;
    }
    if (unlink(path) < 0 && errno != ENOENT) {
        qapi_set_errno(error, errno, "Failed to unlink socket %s", path);
        return FALSE;
    }

    strcpy(address.sun_path, path);
    mode_t mask = is_private ? umask(0177) : 0;
    gint result = bind(fd, (const struct sockaddr *)&address, sizeof address);
    gint number = errno;
    if (is_private)
        umask(mask);

    if (result < 0 || listen(fd, BACKLOG) < 0) {
        qapi_set_errno(error, result < 0 ? number : errno, "Failed to bind socket to %s", path);
        return FALSE;
    }
    return TRUE;
}

gint
os_unix_listen(const char *path, gboolean is_private, GError **error)
{
    g_autofree char *temporary = NULL;

    if (!*path) {
        temporary = temporary_path(error);
        if (!temporary)
            return -1;
        path = temporary;
    }

    gint fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        qapi_set_errno(error, errno, "Failed to create Unix socket");
        return -1;
    }
    if (!bind_path(fd, path, is_private, error)) {
        close(fd);
        return -1;
    }
    return fd;
}

gboolean
os_unix_admits_private(gint fd)
{
    struct ucred peer;
    socklen_t size = sizeof peer;

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
           (peer.uid == 0 || peer.uid == geteuid());
}
