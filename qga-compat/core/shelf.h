/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where tables are kept: for their further pages, and for being compared with what a client asks
 * for next. What nobody has asked for longest goes first. Times are g_get_monotonic_time().
 */
#pragma once

#include "core/table.h"

typedef struct GaShelf GaShelf;

/* Together they take this much of the guest's memory, and are so few. */
#define GA_SHELF_TABLES 4
#define GA_SHELF_BYTES (4 * 1024 * 1024)

/* A client that pages does not pause for longer; one that polls might, but its next full table
 * costs less than memory that is held for who does not come back. */
#define GA_SHELF_PAGE_US (30 * G_USEC_PER_SEC)
#define GA_SHELF_POLL_US (10 * 60 * G_USEC_PER_SEC)

GaShelf *ga_shelf_new(void);
void ga_shelf_free(GaShelf *shelf);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GaShelf, ga_shelf_free)

/* Others of the same name and generation are the same. */
void ga_shelf_put(GaShelf *shelf, GaTable *table /* (transfer full) */, gint64 now);

/* NULL if it is not there, or was not asked for in the last `age` microseconds. Borrowed until the
 * next one is put or time goes on. */
const GaTable *ga_shelf_find(GaShelf *shelf, const char *name, const char *generation, gint64 age,
                             gint64 now);

/* Forget what nobody will ask for any more. Called by a timer while there is something. */
void ga_shelf_sweep(GaShelf *shelf, gint64 now);
