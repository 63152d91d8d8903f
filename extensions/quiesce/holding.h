/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All applications that are held for one freeze: each step is made with all of them at the same
 * time, and is done when the last one is. For the main thread.
 */
#pragma once

#include "commands/freezer.h"

typedef struct Holding Holding;

/* `error`: of the first one that failed (transfer full), if that matters. From the main loop; not
 * at all once the holding is freed. */
typedef void (*HoldingDone)(GError *error, gpointer user_data);

/* `apps` are of App, owned from now on. `is_lenient`: one that fails is left out, and the others
 * go on. */
Holding *holding_new(GPtrArray *apps, gboolean is_lenient);

/* Whoever is asked now is not waited for. */
void holding_free(Holding *holding);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Holding, holding_free)

void holding_prepare(Holding *holding, guint limit_ms, HoldingDone done, gpointer user_data);

/* What is being asked fails, soon. */
void holding_cancel(Holding *holding);

/* Hold when the freezer asks for it, for at most so long. The holding belongs to it. */
GaFreezeHolder *holding_as_holder(Holding *holding, guint held_ms);
const Holding *holding_of(const GaFreezeHolder *holder);

/* Of NovacronQuiesceHeldApp, transfer full. */
GPtrArray *holding_describe(const Holding *holding);

/* Whether one of them has failed. */
gboolean holding_has_failures(const Holding *holding);
