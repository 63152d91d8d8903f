/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The outbox. A reader that is as fast as the encoder would keep the agent here
 * for all of a 64 MiB line, hence the budget per turn of the loop.
 */
#include "core/outbox.h"

#include <string.h>

/* Large enough that a system call costs little per byte, small enough to stay in the cache
 * between encoding and sending. */
#define OUTBOX_SIZE (128 * 1024)

/* What the writer may leave unused before a base64 group that does not fit. */
#define OUTBOX_SLACK 4

struct GaOutbox {
    QapiWriter *writer;
    gsize begin, end; /* of what is in the buffer */
    char buffer[OUTBOX_SIZE];
};

GaOutbox *
ga_outbox_new(void)
{
    /* Not zeroed: a page that no reply reaches is never made. */
    GaOutbox *outbox = g_new(GaOutbox, 1);

    outbox->writer = qapi_writer_new();
    outbox->begin = outbox->end = 0;
    return outbox;
}

void
ga_outbox_free(GaOutbox *outbox)
{
    if (!outbox)
        return;
    qapi_writer_free(outbox->writer);
    g_free(outbox);
}

QapiWriter *
ga_outbox_writer(GaOutbox *outbox)
{
    return outbox->writer;
}

static GaOutboxState
send_buffer(GaOutbox *outbox, GaChannel *channel, gsize *budget)
{
    gsize size = outbox->end - outbox->begin;

    if (size == 0)
        return GA_OUTBOX_DONE;
    if (*budget == 0)
        return GA_OUTBOX_YIELD;

    gssize sent = channel->class->write(channel, outbox->buffer + outbox->begin, size);
    if (sent < 0)
        return GA_OUTBOX_GONE;

    outbox->begin += sent;
    *budget -= MIN(*budget, (gsize)sent);
    if (outbox->begin < outbox->end)
        return GA_OUTBOX_BLOCKED;
    outbox->begin = outbox->end = 0;
    return GA_OUTBOX_DONE;
}

GaOutboxState
ga_outbox_encode(GaOutbox *outbox, GaChannel *channel, gsize *budget)
{
    while (!qapi_writer_is_empty(outbox->writer)) {
        if (OUTBOX_SIZE - outbox->end <= OUTBOX_SLACK) {
            GaOutboxState state = send_buffer(outbox, channel, budget);

            if (state != GA_OUTBOX_DONE)
                return state;
        }
        outbox->end += qapi_writer_take(outbox->writer, outbox->buffer + outbox->end,
                                        OUTBOX_SIZE - outbox->end);
    }
    qapi_writer_reset(outbox->writer);
    return GA_OUTBOX_DONE;
}

GaOutboxState
ga_outbox_flush(GaOutbox *outbox, GaChannel *channel, gsize *budget)
{
    GaOutboxState state = ga_outbox_encode(outbox, channel, budget);

    return state == GA_OUTBOX_DONE ? send_buffer(outbox, channel, budget) : state;
}

void
ga_outbox_discard(GaOutbox *outbox)
{
    qapi_writer_reset(outbox->writer);
    outbox->begin = outbox->end = 0;
}
