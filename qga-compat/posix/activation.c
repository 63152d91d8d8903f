/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Socket activation, as sd_listen_fds(3) describes it. What is malformed is as
 * good as absent, as upstream sees it; what is there but no use ends the agent.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform/service.h"
#include "runtime/qapi-error.h"

#define FIRST_PASSED_FD 3

/* A process passes no more than it can have; only one is of use. */
#define MOST_PASSED_FDS 1024

static guint64
number_in(const char *variable)
{
    const char *text = g_getenv(variable);
    guint64 number;

    if (!text || !g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT, &number, NULL))
        return 0;
    return number;
}

static guint64
count_passed(void)
{
    guint64 count = number_in("LISTEN_PID") == (guint64)getpid() ? number_in("LISTEN_FDS") : 0;

    g_unsetenv("LISTEN_PID");
    g_unsetenv("LISTEN_FDS");
    g_unsetenv("LISTEN_FDNAMES");
    return MIN(count, MOST_PASSED_FDS);
}

static gboolean
are_open(gint count, GError **error)
{
    for (gint fd = FIRST_PASSED_FD; fd < FIRST_PASSED_FD + count; fd++) {
        if (fcntl(fd, F_SETFD, FD_CLOEXEC) == -1) {
            qapi_set_errno(error, errno,
                           "Socket activation failed: invalid file descriptor fd = %d", fd);
            return FALSE;
        }
    }
    return TRUE;
}

static const char *
method_of(gint fd)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;

    if (getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        return NULL;
    switch (address.ss_family) {
    case AF_UNIX:
        return "unix-listen";
#ifdef AF_VSOCK
    case AF_VSOCK:
        return "vsock-listen";
#endif
    default:
        return NULL;
    }
}

gboolean
os_service_activation(GaEndpoint *channel, GError **error)
{
    gint count = count_passed();

    if (count == 0)
        return TRUE;
    if (!are_open(count, error))
        return FALSE;
    if (count > 1) {
        qapi_set_error(error, "qemu-ga only supports listening on one socket");
        return FALSE;
    }

    const char *method = method_of(FIRST_PASSED_FD);
    if (!method) {
        qapi_set_error(error, "unsupported listen fd type");
        return FALSE;
    }
    g_free(channel->method);
    channel->method = g_strdup(method);
    g_clear_pointer(&channel->path, g_free);
    channel->fd = FIRST_PASSED_FD;
    return TRUE;
}
