/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A channel without an operating system: a test is its peer. It takes as much
 * output as it is told to, so that slow and vanishing readers are exact.
 */
#pragma once

#include "core/channel.h"

typedef struct {
    GaChannel base;
    GString *output; /* what the peer received */
    gsize capacity;  /* what the channel accepts before it blocks; grows with memory_read() */
    gboolean is_reading;
    gboolean is_broken; /* the next write finds the peer gone */
    guint ended_peers;
} MemoryChannel;

/* For ga_session_new(): the newest channel is endpoint->path (a MemoryChannel **). */
GaChannel *memory_channel_open(const GaEndpoint *endpoint, const GaChannelEvents *events,
                               gpointer owner, GError **error);

/* The peer sends; as with a real channel nothing arrives while the session does not read.
 * Returns the bytes that were taken. */
gsize memory_send(MemoryChannel *channel, const void *data, gsize size);

/* The channel accepts `size` bytes more, and says so. */
void memory_accept(MemoryChannel *channel, gsize size);
