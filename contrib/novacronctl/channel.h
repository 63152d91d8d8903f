/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What carries requests to an agent and lines that answer them back. Addresses:
 *
 *   unix:PATH, PATH      the socket of the machine's agent channel
 *   vsock:CID:PORT       the agent's vsock session
 *   libvirt:DOMAIN       through libvirt, which holds the channel itself
 *   local:[FILE]         within the guest: the unix session that the agent's configuration names
 */
#pragma once

#include <glib.h>

/* The largest honest reply is guest-exec-status with twice 16 MiB in base64, 43 MiB. */
#define CHANNEL_LINE_MAX (64u << 20)

typedef struct Channel Channel;

/* A kind of channel begins with a Channel. Times are in microseconds; all fail with a
 * QGA_CLIENT_ERROR. */
typedef struct {
    /* Send a request of one line, without its end, and return the line that answers it. */
    char *(*ask)(Channel *channel, const char *request, gsize size, gint64 timeout, GError **error);

    /* NULL if requests cannot be sent while one is answered. Otherwise: while one of `fds` can be
     * read, no answer is waited for any longer than the agent needs for it. */
    void (*hurry)(Channel *channel, const GPollFD *fds, guint n_fds);

    void (*free)(Channel *channel);
} ChannelKind;

struct Channel {
    const ChannelKind *kind;
    const char *address; /* for messages; owned by the client */
};

/* Connected and, where others may have spoken before us, in step. */
Channel *channel_open(const char *address, gint64 timeout, GError **error);

void channel_free(Channel *channel);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Channel, channel_free)

/* The kinds. */
Channel *stream_open_unix(const char *address, const char *path, gint64 timeout, GError **error);
Channel *stream_open_vsock(const char *address, guint32 cid, guint32 port, gint64 timeout,
                           GError **error);
Channel *libvirt_open(const char *address, const char *domain, GError **error);

/* The path of the unix session that the agent's configuration in `file` names. */
char *local_session(const char *file, GError **error);
