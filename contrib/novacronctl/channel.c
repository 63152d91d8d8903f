/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses, and the kind of channel that each means. */
#include "novacronctl/channel.h"

#include <string.h>
#include <sys/un.h>

#define DEFAULT_CONFIGURATION "/etc/qemu/qemu-ga.conf"

static Channel *
open_unix(const char *address, const char *path, gint64 timeout, GError **error)
{
    if (*path != '\0' && strlen(path) < sizeof(((struct sockaddr_un *)NULL)->sun_path))
        return stream_open_unix(address, path, timeout, error);
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "'%s' is %s", path,
                *path ? "too long for a unix socket" : "no path of a socket");
    return NULL;
}

static Channel *
open_vsock(const char *address, const char *place, gint64 timeout, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(place, ":", 2);
    guint64 cid = 0;
    guint64 port = 0;

    if (!parts[0] || !parts[1] ||
        !g_ascii_string_to_unsigned(parts[0], 10, 0, G_MAXUINT32, &cid, NULL) ||
        !g_ascii_string_to_unsigned(parts[1], 10, 0, G_MAXUINT32, &port, NULL)) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "'%s' is not vsock:CID:PORT with two numbers", address);
        return NULL;
    }
    return stream_open_vsock(address, (guint32)cid, (guint32)port, timeout, error);
}

static Channel *
open_libvirt(const char *address, const char *domain, gint64 timeout, GError **error)
{
    (void)timeout;
    if (*domain != '\0')
        return libvirt_open(address, domain, error);
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "which domain? libvirt:DOMAIN");
    return NULL;
}

static Channel *
open_local(const char *address, const char *file, gint64 timeout, GError **error)
{
    g_autofree char *path = local_session(*file ? file : DEFAULT_CONFIGURATION, error);

    return path ? open_unix(address, path, timeout, error) : NULL;
}

static const struct {
    const char *scheme;
    Channel *(*open)(const char *address, const char *rest, gint64 timeout, GError **error);
} kinds[] = {
    { "unix:", open_unix },
    { "vsock:", open_vsock },
    { "libvirt:", open_libvirt },
    { "local:", open_local },
};

Channel *
channel_open(const char *address, gint64 timeout, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (g_str_has_prefix(address, kinds[i].scheme))
            return kinds[i].open(address, address + strlen(kinds[i].scheme), timeout, error);
    if (strchr(address, '/'))
        return open_unix(address, address, timeout, error);
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                "'%s' names no agent; expected unix:PATH, a path with a slash, vsock:CID:PORT, "
                "libvirt:DOMAIN or local:",
                address);
    return NULL;
}

void
channel_free(Channel *channel)
{
    if (channel)
        channel->kind->free(channel);
}
