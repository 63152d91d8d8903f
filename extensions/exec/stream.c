/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Streams: a ring. Its memory is only touched as far as it is used. */
#include "extensions/exec/stream.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <unistd.h>

/* In one turn of the loop: as much as a pipe holds. */
#define PER_TURN (64 * 1024)

struct ExecStream {
    gint fd;     /* -1: ended */
    guint watch; /* 0: not read now */
    gboolean holds;
    ExecStreamNews news;
    gpointer owner;

    gsize room;
    guint8 *ring; /* byte `offset` is at offset % room */
    guint64 begin, end;
};

void
exec_stream_end(ExecStream *stream)
{
    if (stream->watch)
        g_source_remove(stream->watch);
    stream->watch = 0;
    if (stream->fd >= 0)
        close(stream->fd);
    stream->fd = -1;
}

void
exec_stream_free(ExecStream *stream)
{
    if (!stream)
        return;
    exec_stream_end(stream);
    g_free(stream->ring);
    g_free(stream);
}

static void
append(ExecStream *stream, const guint8 *data, gsize size)
{
    while (size > 0) {
        gsize at = stream->end % stream->room;
        gsize piece = MIN(size, stream->room - at);

        memcpy(stream->ring + at, data, piece);
        stream->end += piece;
        data += piece;
        size -= piece;
    }
    if (stream->end - stream->begin > stream->room)
        stream->begin = stream->end - stream->room;
}

static gsize
free_room(const ExecStream *stream)
{
    return stream->holds ? stream->room - (gsize)(stream->end - stream->begin) : PER_TURN;
}

static gboolean
on_readable(gint fd, G_GNUC_UNUSED GIOCondition condition, gpointer user_data)
{
    ExecStream *stream = user_data;
    guint8 buffer[PER_TURN];
    gssize size = read(fd, buffer, MIN(sizeof buffer, free_room(stream)));

    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return G_SOURCE_CONTINUE;
    if (size > 0)
        append(stream, buffer, (gsize)size);
    else /* a terminal that nobody has any more ends with EIO */
        exec_stream_end(stream);

    gboolean is_read_on = stream->fd >= 0 && free_room(stream) > 0;
    if (!is_read_on)
        stream->watch = 0;
    stream->news(stream->owner);
    return is_read_on;
}

static void
read_on(ExecStream *stream)
{
    if (stream->fd >= 0 && !stream->watch && free_room(stream) > 0)
        stream->watch = g_unix_fd_add(stream->fd, G_IO_IN, on_readable, stream);
}

ExecStream *
exec_stream_new(gint fd, gsize room, gboolean holds, ExecStreamNews news, gpointer owner)
{
    ExecStream *stream = g_new0(ExecStream, 1);

    stream->fd = fd;
    stream->holds = holds;
    stream->news = news;
    stream->owner = owner;
    stream->room = room;
    stream->ring = g_malloc(room);
    read_on(stream);
    return stream;
}

gboolean
exec_stream_knows(const ExecStream *stream, guint64 offset)
{
    return offset <= stream->end;
}

gboolean
exec_stream_has_news(const ExecStream *stream, guint64 offset)
{
    return stream->end > offset || stream->fd < 0;
}

gboolean
exec_stream_is_over(const ExecStream *stream, guint64 offset)
{
    return stream->fd < 0 && offset >= stream->end;
}

void
exec_stream_release(ExecStream *stream, guint64 offset)
{
    if (!stream->holds || offset <= stream->begin)
        return;
    stream->begin = MIN(offset, stream->end);
    read_on(stream);
}

gsize
exec_stream_count(const ExecStream *stream, guint64 offset)
{
    return (gsize)(stream->end - MAX(offset, stream->begin));
}

GBytes *
exec_stream_read(const ExecStream *stream, guint64 offset, gsize size, guint64 *ret_offset)
{
    guint64 from = MAX(offset, stream->begin);
    gsize count = MIN(size, exec_stream_count(stream, offset)), done = 0;
    guint8 *bytes = g_malloc(count);
    while (done < count) {
        gsize at = (from + done) % stream->room;
        gsize piece = MIN(count - done, stream->room - at);

        memcpy(bytes + done, stream->ring + at, piece);
        done += piece;
    }
    *ret_offset = from;
    return g_bytes_new_take(bytes, count);
}

gint
exec_stream_fd(const ExecStream *stream)
{
    return stream->fd;
}
