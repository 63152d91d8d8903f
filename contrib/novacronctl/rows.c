/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows: cells become an object, by the names of their columns, and that is read as any other. */
#include "novacronctl/rows.h"

#include <string.h>

#include "runtime/qapi-error.h"
#include "runtime/qapi-parse.h"
#include "runtime/qapi-read.h"
#include "runtime/qapi-write.h"

#define ATTEMPTS 3

/* A guest could go on for ever; what is told of so many fits in a gigabyte or so. */
#define ROWS_MAX (4u << 20)

#define EXPIRED "cursor-expired: "

static char *
object_text(const GPtrArray *columns, const QapiAny *row)
{
    g_autoptr(QapiWriter) writer = qapi_writer_new();
    const QapiNode *cell = row->node + 1;
    const char *separator = "";

    qapi_writer_raw(writer, "{");
    for (guint i = 0; i < columns->len; i++, cell = qapi_node_next(cell)) {
        if (cell->kind == QAPI_NODE_NULL)
            continue;
        qapi_writer_raw(writer, separator);
        qapi_writer_string(writer, columns->pdata[i]);
        qapi_writer_raw(writer, ": ");
        qapi_write_echo(writer, row->value, cell);
        separator = ", ";
    }
    qapi_writer_raw(writer, "}");
    return qapi_writer_to_text(writer, NULL);
}

static gpointer
read_row(const GPtrArray *columns, const QapiAny *row, const QapiType *type, GError **error)
{
    g_autoptr(GError) problem = NULL;
    gpointer object = NULL;

    if (!columns || row->node->kind != QAPI_NODE_LIST || row->node->n_children != columns->len) {
        g_set_error(error, QGA_CLIENT_ERROR, QGA_CLIENT_ERROR_PROTOCOL,
                    "the rows have not as many cells as there are columns");
        return NULL;
    }
    g_autofree char *text = object_text(columns, row);
    g_autoptr(QapiValue) value = qapi_parse(text, strlen(text), &problem);
    if (value &&
        qapi_read(type, value, qapi_value_root(value), QAPI_READ_COPY, "row", &object, &problem))
        return object;
    g_set_error(error, QGA_CLIENT_ERROR, QGA_CLIENT_ERROR_PROTOCOL, "%s", problem->message);
    return NULL;
}

static gboolean
add_page(GPtrArray *rows, const NovacronTable *page, const QapiType *type, GError **error)
{
    if (page->rows->len > ROWS_MAX - rows->len) {
        g_set_error(error, QGA_CLIENT_ERROR, QGA_CLIENT_ERROR_PROTOCOL,
                    "the table has more than %u rows", ROWS_MAX);
        return FALSE;
    }
    for (guint i = 0; i < page->rows->len; i++) {
        gpointer row = read_row(page->columns, page->rows->pdata[i], type, error);

        if (!row)
            return FALSE;
        g_ptr_array_add(rows, row);
    }
    return TRUE;
}

/* NULL: an error. */
static GPtrArray *
read_pages(QgaClient *client, const QapiType *list, RowsAsk ask, gconstpointer data, GError **error)
{
    GPtrArray *rows = g_ptr_array_new();
    g_autofree char *cursor = NULL;

    do {
        const NovacronPage page = { .cursor = cursor };
        g_autoptr(NovacronTable) table = NULL;

        if (!ask(client, &page, data, &table, error) ||
            !add_page(rows, table, list->element, error)) {
            qapi_free(list, rows);
            return NULL;
        }
        g_free(cursor);
        cursor = g_strdup(table->next);
    } while (cursor);
    return rows;
}

GPtrArray *
rows_read(QgaClient *client, const QapiType *list, RowsAsk ask, gconstpointer data, GError **error)
{
    for (guint attempt = 1;; attempt++) {
        g_autoptr(GError) problem = NULL;
        GPtrArray *rows = read_pages(client, list, ask, data, &problem);
        gboolean has_expired = !rows && problem->domain == QAPI_ERROR &&
                               g_str_has_prefix(problem->message, EXPIRED);

        if (rows || !has_expired || attempt == ATTEMPTS) {
            if (problem)
                g_propagate_error(error, g_steal_pointer(&problem));
            return rows;
        }
    }
}
