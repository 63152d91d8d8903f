/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bounds that all extensions keep, since all replies share one channel. */
#pragma once

/* A virtio port of a slow host carries this in some milliseconds. */
#define GA_REPLY_DEFAULT_BYTES (64 * 1024)

/* libvirt gives a channel up at 10 MiB, and refuses its callers what is over 4 MiB. */
#define GA_REPLY_MAX_BYTES (1024 * 1024)

/* On the channel that others use too, where some give each call a second; and on one of our own. */
#define GA_WAIT_SHARED_MS 250
#define GA_WAIT_OWN_MS (30 * 1000)

/* Of the name that a client gives to a request: it is kept, and in every reply about what came of
 * it. */
#define GA_REQUEST_ID_MAX 256
