/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A session's output: one reply that is being encoded, and a buffer of bytes
 * that the channel did not take yet. Small replies gather in the buffer and
 * leave together; a large one passes through it piece by piece.
 */
#pragma once

#include "core/channel.h"
#include "runtime/qapi-write.h"

typedef struct GaOutbox GaOutbox;

typedef enum {
    GA_OUTBOX_DONE,    /* as asked */
    GA_OUTBOX_BLOCKED, /* the channel takes no more now: writable() follows */
    GA_OUTBOX_YIELD,   /* enough for one turn of the loop: others want a turn, too */
    GA_OUTBOX_GONE,    /* the peer is gone */
} GaOutboxState;

GaOutbox *ga_outbox_new(void);
void ga_outbox_free(GaOutbox *outbox);

/* Where the next reply is written: only after ga_outbox_encode() said DONE. */
QapiWriter *ga_outbox_writer(GaOutbox *outbox);

/* Move the reply into the buffer, sending when that is full, until all of it is there. */
GaOutboxState ga_outbox_encode(GaOutbox *outbox, GaChannel *channel, gsize *budget);

/* The same, then send the buffer. `*budget` is what may still be sent in this turn. */
GaOutboxState ga_outbox_flush(GaOutbox *outbox, GaChannel *channel, gsize *budget);

/* Forget what was not sent. */
void ga_outbox_discard(GaOutbox *outbox);
