/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory channel. */
#include "memory-channel.h"

#include <string.h>

static gssize
memory_write(GaChannel *base, const void *data, gsize size)
{
    MemoryChannel *channel = (MemoryChannel *)base;
    gsize accepted = MIN(size, channel->capacity);

    if (channel->is_broken)
        return -1;
    g_string_append_len(channel->output, data, accepted);
    channel->capacity -= accepted;
    return accepted;
}

static void
memory_set_reading(GaChannel *base, gboolean reading)
{
    ((MemoryChannel *)base)->is_reading = reading;
}

static void
memory_end_peer(GaChannel *base)
{
    MemoryChannel *channel = (MemoryChannel *)base;

    channel->ended_peers++;
    channel->is_broken = FALSE;
    channel->is_reading = TRUE;
}

static void
memory_free(GaChannel *base)
{
    MemoryChannel *channel = (MemoryChannel *)base;

    g_string_free(channel->output, TRUE);
    g_free(channel);
}

static const GaChannelClass memory_class = {
    .write = memory_write,
    .set_reading = memory_set_reading,
    .end_peer = memory_end_peer,
    .free = memory_free,
};

GaChannel *
memory_channel_open(const GaEndpoint *endpoint, const GaChannelEvents *events, gpointer owner,
                    G_GNUC_UNUSED GError **error)
{
    MemoryChannel *channel = g_new0(MemoryChannel, 1);

    channel->base = (GaChannel){ &memory_class, events, owner };
    channel->output = g_string_new(NULL);
    channel->capacity = G_MAXSIZE;
    channel->is_reading = TRUE;
    *(MemoryChannel **)(gpointer)endpoint->path = channel;
    return &channel->base;
}

gsize
memory_send(MemoryChannel *channel, const void *data, gsize size)
{
    gsize done = 0;

    while (done < size && channel->is_reading) {
        gsize room;
        guint8 *buffer = channel->base.events->reserve(channel->base.owner, &room);
        gsize piece = MIN(room, size - done);

        memcpy(buffer, (const guint8 *)data + done, piece);
        done += piece;
        channel->base.events->received(channel->base.owner, piece);
    }
    return done;
}

void
memory_accept(MemoryChannel *channel, gsize size)
{
    channel->capacity += size;
    channel->base.events->writable(channel->base.owner);
}
