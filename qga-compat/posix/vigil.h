/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When it is worth staying awake for a client's next request.
 *
 * Somebody who copies a file through the agent sends the next piece as soon as the last
 * one is answered. To sleep for so short a time costs more than it saves: an idle
 * processor of a virtual machine is halted, and being woken takes it 20 to 50 us, about as
 * long as writing a piece. So after an answer in such a stream, and between the parts of a
 * piece, the loop polls without waiting, for a moment that is bounded below. Short requests
 * (a host that polls, a shell's input) and clients that take their time are never waited
 * for like this.
 */
#pragma once

#include <glib.h>

/* A request as large as this is a piece of a stream. */
#define OS_VIGIL_REQUEST (32 * 1024)

/* From an answer to the next bytes, in microseconds: a client that took no longer is quick. It
 * includes the time of being woken, which would otherwise never be saved. */
#define OS_VIGIL_QUICK 200

/* How long one answer, or part of a request, keeps the loop awake, in microseconds. That it was for
 * nothing happens once: a client that let it pass was not quick. */
#define OS_VIGIL_TIME 100

/* All zeros at first. Times are those of the monotonic clock. */
typedef struct {
    gsize received;     /* bytes since the last answer */
    gint64 answered_at; /* when a large request was; 0: the last one was not large */
    gint64 until;
    gboolean is_quick;
} OsVigil;

void os_vigil_received(OsVigil *vigil, gsize size, gint64 now);
void os_vigil_answered(OsVigil *vigil, gint64 now);
gboolean os_vigil_is_kept(const OsVigil *vigil, gint64 now);
