/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Socket channels. While a client is connected the listening socket is not
 * polled, so the next client's bytes are looked at only when this one has left.
 *
 * poll(2) reports a hang-up whether it is asked for or not. So a client that
 * nothing is wanted from (its input waits for a running call) is not polled at
 * all: otherwise one that left would keep the loop spinning.
 */
#include "posix/channel-socket.h"

#include <errno.h>
#include <glib-unix.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "posix/vigil.h"

/* Out of descriptors: the backlog stays readable, so look again later rather than spin. */
#define ACCEPT_PAUSE_MS 1000

typedef struct {
    GaChannel base;
    gint listen_fd;
    OsSocketAdmits admits;
    guint accepting; /* source of the listening socket or of the pause; 0 with a client */

    gint client_fd; /* -1: none */
    GSource *client;
    gpointer client_tag; /* NULL: not polled */
    gboolean is_reading;
    gboolean is_ended;
    gboolean is_blocked;
    OsVigil vigil;
} SocketChannel;

typedef struct {
    GSource base;
    SocketChannel *channel;
} ClientSource;

static void
update_interest(SocketChannel *channel)
{
    GIOCondition condition = 0;

    if (!channel->client)
        return;
    if (channel->is_reading && !channel->is_ended)
        condition |= G_IO_IN;
    if (channel->is_blocked)
        condition |= G_IO_OUT;

    if (!condition && channel->client_tag) {
        g_source_remove_unix_fd(channel->client, channel->client_tag);
        channel->client_tag = NULL;
    } else if (condition && !channel->client_tag) {
        channel->client_tag = g_source_add_unix_fd(channel->client, channel->client_fd, condition);
    } else if (condition) {
        g_source_modify_unix_fd(channel->client, channel->client_tag, condition);
    }
}

static void
end_input(SocketChannel *channel, gboolean is_gone)
{
    channel->is_ended = TRUE;
    update_interest(channel);
    if (is_gone)
        channel->base.events->peer_gone(channel->base.owner);
    channel->base.events->end_of_input(channel->base.owner);
}

static void
read_client(SocketChannel *channel)
{
    gsize room;
    guint8 *buffer = channel->base.events->reserve(channel->base.owner, &room);
    gssize size = recv(channel->client_fd, buffer, room, MSG_DONTWAIT);

    if (size > 0) {
        os_vigil_received(&channel->vigil, (gsize)size, g_get_monotonic_time());
        channel->base.events->received(channel->base.owner, size);
    } else if (size == 0)
        end_input(channel, FALSE);
    else if (errno != EAGAIN && errno != EINTR)
        end_input(channel, TRUE); /* left with an answer unread: on to the next client */
}

static gboolean
client_prepare(GSource *source, gint *timeout)
{
    const SocketChannel *channel = ((ClientSource *)source)->channel;
    gboolean is_awake = os_vigil_is_kept(&channel->vigil, g_get_monotonic_time());

    /* The kernel likes to wake a client on the processor of whoever answered it. */
    if (is_awake)
        sched_yield();
    *timeout = is_awake ? 0 : -1;
    return FALSE;
}

/* One event per dispatch: after it, the client may be another, or none. */
static gboolean
client_dispatch(GSource *source, G_GNUC_UNUSED GSourceFunc callback,
                G_GNUC_UNUSED gpointer user_data)
{
    SocketChannel *channel = ((ClientSource *)source)->channel;
    GIOCondition condition = channel->client_tag
                                 ? g_source_query_unix_fd(source, channel->client_tag)
                                 : 0;

    if (channel->is_blocked && (condition & (G_IO_OUT | G_IO_HUP | G_IO_ERR))) {
        channel->is_blocked = FALSE;
        update_interest(channel);
        channel->base.events->writable(channel->base.owner);
    } else if (channel->is_reading && !channel->is_ended && condition) {
        read_client(channel);
    }
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs client_functions = { .prepare = client_prepare, .dispatch = client_dispatch };

static void
drop_client(SocketChannel *channel)
{
    if (!channel->client)
        return;
    g_source_destroy(channel->client);
    g_source_unref(channel->client);
    close(channel->client_fd);
    channel->client = NULL;
    channel->client_tag = NULL;
    channel->client_fd = -1;
    channel->is_ended = FALSE;
    channel->is_blocked = FALSE;
    channel->vigil = (OsVigil){ 0 };
}

static void
take_client(SocketChannel *channel, gint fd)
{
    channel->client_fd = fd;
    channel->client = g_source_new(&client_functions, sizeof(ClientSource));
    ((ClientSource *)channel->client)->channel = channel;
    /* Otherwise GLib takes the descriptor out of the poll set for the time of each dispatch, at
     * the cost of three system calls on an eventfd. There is no nested loop. */
    g_source_set_can_recurse(channel->client, TRUE);
    g_source_attach(channel->client, NULL);
    update_interest(channel);
}

static void accept_clients(SocketChannel *channel);

static gboolean
on_pause_over(gpointer user_data)
{
    accept_clients(user_data);
    return G_SOURCE_REMOVE;
}

static gboolean
on_connect(gint listen_fd, G_GNUC_UNUSED GIOCondition condition, gpointer user_data)
{
    SocketChannel *channel = user_data;
    gint fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0) {
        if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
            return G_SOURCE_CONTINUE;
        g_warning("error accepting a connection: %s", strerror(errno));
        channel->accepting = g_timeout_add(ACCEPT_PAUSE_MS, on_pause_over, channel);
        return G_SOURCE_REMOVE;
    }
    if (channel->admits && !channel->admits(fd)) {
        g_warning("refused a connection from a peer that may not ask");
        close(fd);
        return G_SOURCE_CONTINUE;
    }
    channel->accepting = 0;
    take_client(channel, fd);
    return G_SOURCE_REMOVE;
}

static void
accept_clients(SocketChannel *channel)
{
    channel->accepting = g_unix_fd_add(channel->listen_fd, G_IO_IN, on_connect, channel);
}

static gssize
socket_write(GaChannel *base, const void *data, gsize size)
{
    SocketChannel *channel = (SocketChannel *)base;
    gssize sent;

    if (channel->is_blocked)
        return 0;
    do
        sent = send(channel->client_fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);

    if (sent < 0 && errno != EAGAIN) {
        g_warning("error writing to channel: %s", strerror(errno));
        return -1;
    }
    if (sent < (gssize)size) {
        channel->is_blocked = TRUE;
        update_interest(channel);
    } else {
        os_vigil_answered(&channel->vigil, g_get_monotonic_time());
    }
    return MAX(sent, 0);
}

static void
socket_set_reading(GaChannel *base, gboolean reading)
{
    SocketChannel *channel = (SocketChannel *)base;

    if (channel->is_reading == reading)
        return;
    channel->is_reading = reading;
    update_interest(channel);
}

static void
socket_end_peer(GaChannel *base)
{
    SocketChannel *channel = (SocketChannel *)base;

    drop_client(channel);
    channel->is_reading = TRUE;
    accept_clients(channel);
}

static void
socket_free(GaChannel *base)
{
    SocketChannel *channel = (SocketChannel *)base;

    drop_client(channel);
    if (channel->accepting)
        g_source_remove(channel->accepting);
    close(channel->listen_fd);
    g_free(channel);
}

static const GaChannelClass socket_class = {
    .write = socket_write,
    .set_reading = socket_set_reading,
    .end_peer = socket_end_peer,
    .free = socket_free,
};

GaChannel *
os_socket_channel_new(gint listen_fd, OsSocketAdmits admits, const GaChannelEvents *events,
                      gpointer owner)
{
    SocketChannel *channel = g_new0(SocketChannel, 1);

    /* One that was passed to us may block, and its client may be gone when we accept it. */
    g_unix_set_fd_nonblocking(listen_fd, TRUE, NULL);

    channel->base = (GaChannel){ &socket_class, events, owner };
    channel->listen_fd = listen_fd;
    channel->admits = admits;
    channel->client_fd = -1;
    channel->is_reading = TRUE;
    accept_clients(channel);
    return &channel->base;
}
