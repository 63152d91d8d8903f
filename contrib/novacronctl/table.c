/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "novacronctl/table.h"

#include <string.h>
#include <unistd.h>

#include "novacronctl/output.h"
#include "novacronctl/terminal.h"

#define NOTHING "-"

struct Table {
    const char *const *headings;
    guint n_columns;
    GArray *chosen; /* guint: which columns, in the order of their appearance */
    GPtrArray *cells;
    glong *widths; /* of each column, by now */
    gboolean is_cut;
    gboolean is_begun;
};

static gint
find_column(const Table *table, const char *name)
{
    for (guint i = 0; i < table->n_columns; i++)
        if (g_ascii_strcasecmp(table->headings[i], name) == 0)
            return (gint)i;
    return -1;
}

static char *
list_columns(const Table *table)
{
    g_autoptr(GString) names = g_string_new(NULL);

    for (guint i = 0; i < table->n_columns; i++)
        g_string_append_printf(names, "%s%s", i > 0 ? ", " : "", table->headings[i]);
    return g_ascii_strdown(names->str, -1);
}

static gboolean
choose(Table *table, const char *chosen, GError **error)
{
    g_auto(GStrv) names = g_strsplit(chosen, ",", -1);

    for (guint i = 0; names[i]; i++) {
        gint column = find_column(table, g_strstrip(names[i]));
        if (column < 0) {
            g_autofree char *known = list_columns(table);
            g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                        "there is no column '%s'; known: %s", names[i], known);
            return FALSE;
        }
        g_array_append_val(table->chosen, column);
    }
    return TRUE;
}

Table *
table_new(const char *const *headings, guint n_columns, const char *chosen, GError **error)
{
    g_autoptr(Table) table = g_new0(Table, 1);

    table->headings = headings;
    table->n_columns = n_columns;
    table->chosen = g_array_new(FALSE, FALSE, sizeof(guint));
    table->cells = g_ptr_array_new_with_free_func(g_free);
    table->widths = g_new0(glong, n_columns);
    for (guint i = 0; !chosen && i < n_columns; i++)
        g_array_append_val(table->chosen, i);
    return !chosen || choose(table, chosen, error) ? g_steal_pointer(&table) : NULL;
}

void
table_take(Table *table, char *text)
{
    g_ptr_array_add(table->cells, text ? text : g_strdup(NOTHING));
}

void
table_add(Table *table, const char *text)
{
    table_take(table, text && *text ? g_strdup(text) : NULL);
}

void
table_add_size(Table *table, gboolean is_known, guint64 bytes)
{
    table_take(table, is_known ? g_format_size_full(bytes, G_FORMAT_SIZE_IEC_UNITS) : NULL);
}

static gint
compare_cells(gconstpointer left, gconstpointer right, gpointer column)
{
    const char *const *one = left;
    const char *const *other = right;

    return g_utf8_collate(one[GPOINTER_TO_UINT(column)], other[GPOINTER_TO_UINT(column)]);
}

void
table_sort(Table *table, guint column)
{
    gsize row_size = table->n_columns * sizeof(gpointer);

    g_qsort_with_data(table->cells->pdata, (gint)(table->cells->len / table->n_columns), row_size,
                      compare_cells, GUINT_TO_POINTER(column));
}

void
table_reserve(Table *table, guint column, guint width)
{
    table->widths[column] = width;
}

void
table_cut(Table *table)
{
    table->is_cut = TRUE;
}

void
table_print(Table *table)
{
    guint width = table->chosen->len;
    const guint *columns = (const guint *)(gconstpointer)table->chosen->data;
    g_autofree const char **headings = g_new(const char *, width);
    g_autofree glong *widths = g_new(glong, width);
    g_autoptr(GPtrArray) cells = g_ptr_array_new();

    for (guint i = 0; i < width; i++) {
        headings[i] = table->headings[columns[i]];
        widths[i] = table->widths[columns[i]];
    }
    for (guint row = 0; row < table->cells->len; row += table->n_columns)
        for (guint i = 0; i < width; i++)
            g_ptr_array_add(cells, table->cells->pdata[row + columns[i]]);
    output_table(table->is_begun ? NULL : headings, width, cells, widths,
                 table->is_cut ? terminal_columns(STDOUT_FILENO) : 0);
    for (guint i = 0; i < width; i++)
        table->widths[columns[i]] = widths[i];
    table->is_begun = TRUE;
    g_ptr_array_set_size(table->cells, 0);
}

void
table_free(Table *table)
{
    if (!table)
        return;
    g_array_unref(table->chosen);
    g_ptr_array_unref(table->cells);
    g_free(table->widths);
    g_free(table);
}
