/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A channel carries bytes between one peer at a time and a session. It knows
 * nothing of JSON. Several kinds live in one binary, hence the vtable.
 *
 * A peer is whoever is at the other end now: a connected client, the host side
 * of a port. Peers come and go; the channel stays.
 */
#pragma once

#include <glib.h>

typedef struct GaChannel GaChannel;

/* Where a channel is to be found. */
typedef struct {
    char *method;        /* "virtio-serial", "unix-listen", ... */
    char *path;          /* device or address; NULL for an activated socket */
    gint fd;             /* the listening socket that a service manager passed, or -1 */
    gboolean any_peer;   /* vsock: answer others than the host (CID 2) as well */
    gboolean is_private; /* unix: socket mode 0600, and only root and ourselves may ask */
} GaEndpoint;

/* What a channel tells its owner. All are mandatory; none is called from within an operation of
 * the vtable below, so an owner never finds itself re-entered. */
typedef struct {
    /* Room for input: at least one byte, *ret_size of it. Asked before every read. */
    guint8 *(*reserve)(gpointer owner, gsize *ret_size);
    /* `size` bytes were put there. */
    void (*received)(gpointer owner, gsize size);
    /* The channel takes output again after a write that it did not accept whole. */
    void (*writable)(gpointer owner);
    /* This peer sends nothing more. The owner answers what came, then calls end_peer(). */
    void (*end_of_input)(gpointer owner);
    /* This peer reads nothing more. end_of_input() follows, at once or after the last bytes. */
    void (*peer_gone)(gpointer owner);
    /* The device is lost, the channel unusable; the owner frees it. */
    void (*failed)(gpointer owner, const GError *error);
} GaChannelEvents;

typedef struct {
    /* Returns the bytes accepted; fewer than `size`: writable() will follow. -1: this peer is gone
     * (no peer_gone() follows). */
    gssize (*write)(GaChannel *channel, const void *data, gsize size);
    /* While off, no input is read: back-pressure. A new channel is reading. */
    void (*set_reading)(GaChannel *channel, gboolean reading);
    /* The peer whose input ended was answered: part from it and take the next. */
    void (*end_peer)(GaChannel *channel);
    void (*free)(GaChannel *channel);
} GaChannelClass;

struct GaChannel {
    const GaChannelClass *class;
    const GaChannelEvents *events;
    gpointer owner;
};
