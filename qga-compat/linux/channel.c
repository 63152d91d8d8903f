/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Methods by name. */
#include "platform/channel.h"

#include <string.h>

#include "linux/channel-serial.h"
#include "linux/vsock.h"
#include "posix/channel-socket.h"
#include "runtime/qapi-error.h"

typedef struct {
    const char *name;
    const char *default_path;
    GaChannel *(*open)(const GaEndpoint *endpoint, const GaChannelEvents *events, gpointer owner,
                       GError **error);
} Method;

static GaChannel *
unix_open(const GaEndpoint *endpoint, const GaChannelEvents *events, gpointer owner, GError **error)
{
    gint fd = endpoint->fd >= 0 ? endpoint->fd
                                : os_unix_listen(endpoint->path, endpoint->is_private, error);

    if (fd < 0)
        return NULL;
    return os_socket_channel_new(fd, endpoint->is_private ? os_unix_admits_private : NULL, events,
                                 owner);
}

static GaChannel *
vsock_open(const GaEndpoint *endpoint, const GaChannelEvents *events, gpointer owner,
           GError **error)
{
    gint fd = endpoint->fd >= 0 ? endpoint->fd : os_vsock_listen(endpoint->path, error);

    if (fd < 0)
        return NULL;
    return os_socket_channel_new(fd, endpoint->any_peer ? NULL : os_vsock_admits_host, events,
                                 owner);
}

static const Method methods[] = {
    { "virtio-serial", "/dev/virtio-ports/org.qemu.guest_agent.0", os_virtio_serial_open },
    { "isa-serial", "/dev/ttyS0", os_isa_serial_open },
    { "unix-listen", NULL, unix_open },
    { "vsock-listen", NULL, vsock_open },
};

static const Method *
find_method(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(methods); i++) {
        if (strcmp(methods[i].name, name) == 0)
            return &methods[i];
    }
    return NULL;
}

const char *
os_channel_default_path(const char *method)
{
    const Method *found = find_method(method);

    return found ? found->default_path : NULL;
}

GaChannel *
os_channel_open(const GaEndpoint *endpoint, const GaChannelEvents *events, gpointer owner,
                GError **error)
{
    const Method *method = find_method(endpoint->method);
    g_autoptr(GError) reason = NULL;

    if (!method) {
        qapi_set_error(error, "unsupported channel method/type: %s", endpoint->method);
        return NULL;
    }

    GaChannel *channel = method->open(endpoint, events, owner, &reason);
    if (!channel)
        qapi_set_error(error, "%s\nfailed to create guest agent channel", reason->message);
    return channel;
}
