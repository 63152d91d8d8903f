/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The owner of a channel under test: it does nothing but note what it is told. */
#pragma once

#include "core/channel.h"

typedef struct {
    GaChannel *channel; /* freed and NULL once it has failed */
    GString *journal;
    guint8 inbox[64];
} ChannelOwner;

extern const GaChannelEvents channel_owner_events;

void channel_owner_init(ChannelOwner *owner);
void channel_owner_clear(ChannelOwner *owner);

/* Let the channel tell until nothing happens any more, and compare: received text as it is, other
 * events by a word, each with a blank behind it. A channel that never rests fails. */
void assert_told(ChannelOwner *owner, const char *expected);
