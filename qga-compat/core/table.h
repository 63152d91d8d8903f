/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A table: what a command lists, as the JSON text of its rows.
 *
 * A row is a struct of the schema and the columns are its members. The first of them is the key,
 * by which client and agent know a row again. A table is filled once, on whichever thread, and does
 * not change any more: all of its pages, and what has changed since an older one, are of
 * one moment.
 */
#pragma once

#include "runtime/qapi-write.h"

typedef struct GaTable GaTable;

/* A larger one is told in parts: room is for it and for what it is compared with. */
#define GA_TABLE_BYTES (2 * 1024 * 1024)

/* For those who fill one (core/listing.h). */

/* Whether a column is asked for: the rest of a row need not be looked up. */
gboolean ga_table_wants(const GaTable *table, const char *column);

/* A row; what it points to stays the caller's. FALSE: there is no room for it. */
gboolean ga_table_add(GaTable *table, gconstpointer row);

/* A column is null in rows since it cannot be had: `reason` is a word of the schema's
 * NovacronAbsence. The first one counts. */
void ga_table_lack(GaTable *table, const char *column, const char *reason);

/* There was no room for a row: `place` is the caller's word for where the next part begins. */
void ga_table_break(GaTable *table, char *place /* (transfer full) */);

/* Where this part begins; NULL: at the beginning. */
const char *ga_table_place(const GaTable *table);

/* For those who keep and tell one. */

/* `name` is of everything that the rows depend on but the state of the guest. `columns` are names,
 * NULL or none: all. NULL: refused, bad-value. */
GaTable *ga_table_new(const QapiType *row, const char *name, const GPtrArray *columns,
                      const char *place, GError **error);
void ga_table_free(GaTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GaTable, ga_table_free)

/* It has been filled. FALSE: refused, budget: it is larger than there is room, and in one part. */
gboolean ga_table_finish(GaTable *table, GError **error);

const char *ga_table_name(const GaTable *table);

/* A word that is another one where the name or a row is another one. */
const char *ga_table_generation(const GaTable *table);

/* Not only a part. */
gboolean ga_table_is_whole(const GaTable *table);

/* Where the next part begins; NULL: there is none. */
const char *ga_table_next(const GaTable *table);

/* The columns that cannot be had, as objects of JSON with commas between; "": none. */
const char *ga_table_partial(const GaTable *table);

/* All that it takes. */
gsize ga_table_size(const GaTable *table);

guint ga_table_n_rows(const GaTable *table);
const char *ga_table_row(const GaTable *table, guint number);
const char *ga_table_key(const GaTable *table, guint number);

/* From keys to numbers of rows; NULL where that is not clear, since clients do not see the key or
 * two rows have the same. The keys are the table's. */
GHashTable *ga_table_index(const GaTable *table);

/* The names of the columns, as a list. */
void ga_table_write_columns(const GaTable *table, QapiWriter *writer);
