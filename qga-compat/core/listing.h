/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A command that lists something: its arguments have NovacronPage as their base, it returns a
 * NovacronTable, and all it does itself is to fill one.
 *
 * Pages come from the table that the first of them was told of, as long as it is kept; a client
 * that has an older one and says so learns what has changed.
 */
#pragma once

#include "core/call.h"
#include "core/table.h"

/* Constant, for ever. */
typedef struct {
    const QapiType *row; /* a struct; its first member is the key */
    /* Add all rows, from ga_table_place() on; where there is no room for one, say where the next
     * part begins and stop. A list that is bounded by itself need not. FALSE: refused. */
    gboolean (*fill)(GaTable *table, gpointer data, GError **error);
    /* It may wait for a disk, and is called on a thread: `data` stands alone. */
    gboolean on_thread;
    GDestroyNotify free_data; /* on the main thread; NULL: not at all */
} GaListing;

/* Answers the call. `args` are its arguments. */
void ga_listing_run(const GaListing *listing, GaCall *call, gconstpointer args, gpointer data);
