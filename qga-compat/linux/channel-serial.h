/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Channels over character devices. */
#pragma once

#include "core/channel.h"

/* Over a descriptor that does not block and has one peer after the other; takes it over. */
GaChannel *os_serial_channel_new(gint fd, const GaChannelEvents *events, gpointer owner,
                                 GError **error);

/* A port of a virtio-serial bus. The host side connects and leaves; the port stays open. */
GaChannel *os_virtio_serial_open(const GaEndpoint *endpoint, const GaChannelEvents *events,
                                 gpointer owner, GError **error);

/* A serial line, put into raw mode. */
GaChannel *os_isa_serial_open(const GaEndpoint *endpoint, const GaChannelEvents *events,
                              gpointer owner, GError **error);
