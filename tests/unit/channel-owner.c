/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The owner of a channel under test. */
#include "channel-owner.h"

#include <check.h>

static guint8 *
reserve(gpointer data, gsize *ret_size)
{
    ChannelOwner *owner = data;

    *ret_size = sizeof owner->inbox;
    return owner->inbox;
}

static void
received(gpointer data, gsize size)
{
    ChannelOwner *owner = data;

    g_string_append_len(owner->journal, (const char *)owner->inbox, (gssize)size);
    g_string_append_c(owner->journal, ' ');
}

static void
writable(gpointer data)
{
    g_string_append(((ChannelOwner *)data)->journal, "writable ");
}

static void
end_of_input(gpointer data)
{
    g_string_append(((ChannelOwner *)data)->journal, "end ");
}

static void
peer_gone(gpointer data)
{
    g_string_append(((ChannelOwner *)data)->journal, "gone ");
}

static void
failed(gpointer data, G_GNUC_UNUSED const GError *error)
{
    ChannelOwner *owner = data;

    g_string_append(owner->journal, "failed ");
    owner->channel->class->free(owner->channel);
    owner->channel = NULL;
}

const GaChannelEvents channel_owner_events = {
    .reserve = reserve,
    .received = received,
    .writable = writable,
    .end_of_input = end_of_input,
    .peer_gone = peer_gone,
    .failed = failed,
};

void
channel_owner_init(ChannelOwner *owner)
{
    owner->channel = NULL;
    owner->journal = g_string_new(NULL);
}

void
channel_owner_clear(ChannelOwner *owner)
{
    if (owner->channel)
        owner->channel->class->free(owner->channel);
    g_string_free(owner->journal, TRUE);
}

void
assert_told(ChannelOwner *owner, const char *expected)
{
    for (guint i = 0; i < 100 && g_main_context_iteration(NULL, FALSE); i++)
        ;
    ck_assert_msg(!g_main_context_pending(NULL), "the channel spins");
    ck_assert_str_eq(owner->journal->str, expected);
    g_string_truncate(owner->journal, 0);
}
