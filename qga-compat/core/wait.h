/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A call that waits for something to happen.
 *
 * Nobody else's request on the channel may wait for it, so a wait is short on the shared
 * channel, and it is over at once when the client sends something more or leaves. Its command
 * then answers with what there is.
 */
#pragma once

#include "core/call.h"

typedef struct GaWait GaWait;

/* Settles the call. The wait is gone. */
typedef void (*GaWaitOver)(GaCall *call, gpointer user_data);

/* Until ga_wait_end(), but for at most `ms` or what the session permits. `over` is called once,
 * from the main loop; not from within this. */
GaWait *ga_wait_new(GaCall *call, guint ms, GaWaitOver over, gpointer user_data);

/* It happened: over() follows from the main loop, so that whoever tells it, and all that it has to
 * tell, stay as they are until it is done. May be called again. */
void ga_wait_end(GaWait *wait);

/* What was waited for is gone, or the agent is: forget the wait, leave the call. */
void ga_wait_free(GaWait *wait);
