/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Applications that novacron-quiesce-begin has made ready, until a freeze takes them: at most one
 * set of them, which is given up when nobody does.
 */
#pragma once

#include "extensions/quiesce/holding.h"

/* So long they wait for the freeze: their connections are open, but nothing is held. */
#define PREPARED_SECONDS 600

/* Those that the job `id` (copied) has made ready, in place of others. */
void prepared_put(GaAgent *agent, const char *id, Holding *holding /* (transfer full) */);

/* NULL: that job has made none ready, or they were given up, or taken. Transfer full. */
Holding *prepared_take(GaAgent *agent, const char *id, GError **error);
