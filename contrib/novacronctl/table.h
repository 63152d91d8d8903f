/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A table for people, of which they choose the columns with -o. */
#pragma once

#include <glib.h>

typedef struct Table Table;

/* Columns are named by `headings`, upper case; both are the caller's. `chosen` is what the user
 * wants, separated by commas, or NULL for all. Fails with a G_OPTION_ERROR. */
Table *table_new(const char *const *headings, guint n_columns, const char *chosen, GError **error);

/* The next cell, row by row; NULL is shown as a dash. */
void table_add(Table *table, const char *text);
void table_take(Table *table, char *text);
void table_add_size(Table *table, gboolean is_known, guint64 bytes);

/* The rows by the text of a column. */
void table_sort(Table *table, guint column);

/* A column is at least so many characters wide. */
void table_reserve(Table *table, guint column, guint width);

/* On a terminal, rows end at its edge: the last column may be longer than is good to read. */
void table_cut(Table *table);

/* Called again, it prints the rows that came since, below those of before. */
void table_print(Table *table);

void table_free(Table *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Table, table_free)
