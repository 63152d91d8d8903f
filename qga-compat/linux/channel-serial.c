/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Character device channels.
 *
 * A virtio port whose host side is closed is readable (it reads as end of file)
 * and hung up, for as long as that lasts: polled as such, the agent would spin,
 * or nap and look again ten times a second as upstream does. So the port sits
 * alone in an epoll set of its own, edge-triggered, and the main loop polls that
 * set: it wakes when something happened to the port, and only then.
 *
 * The price is that edges are remembered here (is_readable, is_writable). One
 * edge is easily missed: a request can be readable before the driver has noticed
 * that the host side is open, and a write then says EAGAIN. The reply waits for
 * the writable edge that is still to come.
 */
#include "linux/channel-serial.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <termios.h>
#include <unistd.h>

#include "runtime/qapi-error.h"

typedef struct {
    GaChannel base;
    GSource *source;
    gpointer tag;
    gint fd;
    gint epoll_fd;
    gboolean is_readable; /* not yet read up to EAGAIN or an end of file */
    gboolean is_writable; /* false: a write said EAGAIN, no edge since */
    gboolean is_waiting;  /* the owner is to be told when it is writable */
    gboolean is_reading;
    gboolean is_connected; /* the host side was open at the last edge */
    gboolean is_lost;      /* a write failed: the owner is to be told that this host left */
    gboolean is_ended;     /* it was told; what this host asked for is still being done */
} SerialChannel;

typedef struct {
    GSource base;
    SerialChannel *channel;
} SerialSource;

static gboolean
is_ready(const SerialChannel *channel)
{
    return channel->is_lost || (channel->is_waiting && channel->is_writable) ||
           (channel->is_reading && channel->is_readable && !channel->is_ended);
}

static gboolean
serial_prepare(GSource *source, gint *ret_timeout)
{
    *ret_timeout = -1;
    return is_ready(((SerialSource *)source)->channel);
}

static gboolean
serial_check(GSource *source)
{
    SerialChannel *channel = ((SerialSource *)source)->channel;

    return g_source_query_unix_fd(source, channel->tag) || is_ready(channel);
}

/* What the device still holds may be of this host or already of the next one. It is answered all
 * the same: a stale answer is skipped by whoever synchronises, a lost one is waited for. */
static void
end_host(SerialChannel *channel)
{
    channel->is_lost = FALSE;
    if (channel->is_ended)
        return;
    channel->is_ended = TRUE;
    channel->base.events->peer_gone(channel->base.owner);
    channel->base.events->end_of_input(channel->base.owner);
}

/* Look at what happened to the device since the last time. */
static void
note_edges(SerialChannel *channel)
{
    struct epoll_event event;

    if (epoll_wait(channel->epoll_fd, &event, 1, 0) != 1)
        return;

    gboolean was_connected = channel->is_connected;
    channel->is_connected = !(event.events & EPOLLHUP);
    channel->is_readable = TRUE; /* a read tells more than the flags: data, end, or an error */
    if (event.events & (EPOLLOUT | EPOLLERR))
        channel->is_writable = TRUE;

    /* Only the change says that a host left: one that has just come is away as well, until the
     * driver has noticed it, and its first request may be readable by then. */
    if (was_connected && !channel->is_connected)
        end_host(channel);
}

static void
read_device(SerialChannel *channel)
{
    gsize room;
    guint8 *buffer = channel->base.events->reserve(channel->base.owner, &room);
    gssize size = read(channel->fd, buffer, room);

    if (size > 0) {
        channel->base.events->received(channel->base.owner, size);
    } else if (size == 0 || errno == EAGAIN) {
        channel->is_readable = FALSE;
    } else if (errno != EINTR) {
        g_autoptr(GError) error = NULL;

        qapi_set_errno(&error, errno, "read");
        channel->base.events->failed(channel->base.owner, error); /* frees the channel */
    }
}

static gboolean
serial_dispatch(GSource *source, G_GNUC_UNUSED GSourceFunc callback,
                G_GNUC_UNUSED gpointer user_data)
{
    SerialChannel *channel = ((SerialSource *)source)->channel;

    note_edges(channel);
    if (channel->is_lost) {
        end_host(channel);
    } else if (channel->is_waiting && channel->is_writable) {
        channel->is_waiting = FALSE;
        channel->base.events->writable(channel->base.owner);
    } else if (is_ready(channel)) {
        read_device(channel);
    }
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs serial_functions = {
    .prepare = serial_prepare,
    .check = serial_check,
    .dispatch = serial_dispatch,
};

static gssize
serial_write(GaChannel *base, const void *data, gsize size)
{
    SerialChannel *channel = (SerialChannel *)base;
    gsize done = 0;

    /* A virtio port takes 32 KiB at most in one go, so a short write does not say "full". */
    while (done < size && channel->is_writable) {
        gssize written = write(channel->fd, (const guint8 *)data + done, size - done);

        if (written > 0) {
            done += written;
        } else if (written == 0 || errno == EAGAIN) {
            channel->is_writable = FALSE;
        } else if (errno != EINTR) {
            g_warning("error writing to channel: %s", strerror(errno));
            channel->is_lost = TRUE;
            return -1;
        }
    }
    channel->is_waiting = done < size;
    return done;
}

static void
serial_set_reading(GaChannel *base, gboolean reading)
{
    ((SerialChannel *)base)->is_reading = reading;
}

static void
serial_end_peer(GaChannel *base)
{
    SerialChannel *channel = (SerialChannel *)base;

    channel->is_ended = FALSE;
    channel->is_waiting = FALSE;
    channel->is_reading = TRUE;
}

static void
serial_free(GaChannel *base)
{
    SerialChannel *channel = (SerialChannel *)base;

    g_source_destroy(channel->source);
    g_source_unref(channel->source);
    close(channel->epoll_fd);
    close(channel->fd);
    g_free(channel);
}

static const GaChannelClass serial_class = {
    .write = serial_write,
    .set_reading = serial_set_reading,
    .end_peer = serial_end_peer,
    .free = serial_free,
};

/* -1: it cannot be watched. */
static gint
watch_edges(gint fd, GError **error)
{
    struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLET };
    gint epoll_fd = epoll_create1(EPOLL_CLOEXEC);

    /* What epoll does not take (EPERM: /dev/null, a file) has no edges; it is read once. */
    if (epoll_fd >= 0 && (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0 || errno == EPERM))
        return epoll_fd;

    qapi_set_errno(error, errno, "error watching channel");
    if (epoll_fd >= 0)
        close(epoll_fd);
    return -1;
}

GaChannel *
os_serial_channel_new(gint fd, const GaChannelEvents *events, gpointer owner, GError **error)
{
    gint epoll_fd = watch_edges(fd, error);

    if (epoll_fd < 0) {
        close(fd);
        return NULL;
    }

    SerialChannel *channel = g_new0(SerialChannel, 1);
    channel->base = (GaChannel){ &serial_class, events, owner };
    channel->fd = fd;
    channel->epoll_fd = epoll_fd;
    channel->is_readable = channel->is_writable = channel->is_reading = TRUE;

    channel->source = g_source_new(&serial_functions, sizeof(SerialSource));
    ((SerialSource *)channel->source)->channel = channel;
    g_source_set_can_recurse(channel->source, TRUE); /* spares wake-ups of the loop by itself */
    channel->tag = g_source_add_unix_fd(channel->source, channel->epoll_fd, G_IO_IN);
    g_source_attach(channel->source, NULL);
    return &channel->base;
}

static gint
open_device(const char *path, gint flags, GError **error)
{
    gint fd = open(path, flags | O_RDWR | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        qapi_set_errno(error, errno, "error opening channel '%s'", path);
    return fd;
}

GaChannel *
os_virtio_serial_open(const GaEndpoint *endpoint, const GaChannelEvents *events, gpointer owner,
                      GError **error)
{
    gint fd = open_device(endpoint->path, 0, error);

    return fd < 0 ? NULL : os_serial_channel_new(fd, events, owner, error);
}

/* Raw, 38400 baud. What is no terminal (tests use other devices) is taken as it is. */
static void
make_raw(gint fd)
{
    struct termios settings;

    if (tcgetattr(fd, &settings) < 0)
        return;
    tcflush(fd, TCIFLUSH);
    settings.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | IGNPAR | PARMRK | INPCK | ISTRIP | INLCR |
                                    IGNCR | ICRNL | IXON | IXOFF | IXANY | IMAXBEL);
    settings.c_oflag = 0;
    settings.c_lflag = 0;
    settings.c_cc[VMIN] = 1;
    settings.c_cc[VTIME] = 0;
    cfsetspeed(&settings, B38400);
    tcsetattr(fd, TCSANOW, &settings);
}

GaChannel *
os_isa_serial_open(const GaEndpoint *endpoint, const GaChannelEvents *events, gpointer owner,
                   GError **error)
{
    gint fd = open_device(endpoint->path, O_NOCTTY, error);

    if (fd < 0)
        return NULL;
    make_raw(fd);
    return os_serial_channel_new(fd, events, owner, error);
}
