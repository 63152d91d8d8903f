/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A folder of the guest, page by page. */
#include <stdlib.h>
#include <string.h>

#include "novacronctl/output.h"
#include "novacronctl/subcommand.h"
#include "novacronctl/table.h"
#include "runtime/qapi-value.h"

#define GUEST_PREFIX "guest:"
#define NAME 6 /* the column */

static char *
cell_text(JsonNode *cell, NovacronFileColumn column)
{
    if (json_node_is_null(cell))
        return NULL;
    if (!JSON_NODE_HOLDS_VALUE(cell))
        return json_to_string(cell, FALSE);
    if (json_node_get_value_type(cell) == G_TYPE_STRING)
        return json_node_dup_string(cell);
    gint64 number = json_node_get_int(cell);
    if (column == NOVACRON_FILE_COLUMN_SIZE_BYTES)
        return g_format_size_full((guint64)number, G_FORMAT_SIZE_IEC_UNITS);
    if (column != NOVACRON_FILE_COLUMN_MODIFIED_NS)
        return g_strdup_printf("%" G_GINT64_FORMAT, number);
    return output_time(number);
}

static void
add_row(Table *table, const NovacronFileTable *page, JsonArray *row)
{
    for (guint i = 0; i < page->columns->len; i++)
        table_take(table, cell_text(json_array_get_element(row, i),
                                    g_array_index(page->columns, NovacronFileColumn, i)));
}

/* Rows are values of any kind, which JSON holds best. */
static JsonArray *
rows_of(const NovacronFileTable *page, JsonNode **ret_owner)
{
    g_autofree char *text = output_text(&novacron_file_table_type, &page);

    *ret_owner = json_from_string(text, NULL);
    return json_object_get_array_member(json_node_get_object(*ret_owner), "rows");
}

static gboolean
add_page(Table *table, JsonArray *all, const NovacronFileTable *page)
{
    g_autoptr(JsonNode) owner = NULL;
    JsonArray *rows = rows_of(page, &owner);

    for (guint i = 0; i < json_array_get_length(rows); i++) {
        JsonNode *row = json_array_get_element(rows, i);
        if (!JSON_NODE_HOLDS_ARRAY(row) ||
            json_array_get_length(json_node_get_array(row)) != page->columns->len)
            return FALSE;
        if (table)
            add_row(table, page, json_node_get_array(row));
        json_array_add_element(all, json_node_copy(row));
    }
    return TRUE;
}

static gboolean
list_all(const Subcommand *subcommand, Table *table, JsonArray *all, GError **error)
{
    static const NovacronFileColumn wanted[] = {
        NOVACRON_FILE_COLUMN_MODE,        NOVACRON_FILE_COLUMN_UID,
        NOVACRON_FILE_COLUMN_GID,         NOVACRON_FILE_COLUMN_SIZE_BYTES,
        NOVACRON_FILE_COLUMN_MODIFIED_NS, NOVACRON_FILE_COLUMN_TYPE,
        NOVACRON_FILE_COLUMN_NAME,        NOVACRON_FILE_COLUMN_TARGET,
    };
    const char *word = subcommand->words[0];
    gboolean has_prefix = g_str_has_prefix(word, GUEST_PREFIX);
    g_autofree char *path = g_strdup(has_prefix ? word + strlen(GUEST_PREFIX) : word);
    g_autoptr(GArray) columns = g_array_new(FALSE, FALSE, sizeof(NovacronFileColumn));
    g_autofree char *cursor = NULL;

    g_array_append_vals(columns, wanted, G_N_ELEMENTS(wanted));
    do {
        const NovacronFileListArgs args = { .path = path, .columns = columns, .cursor = cursor };
        g_autoptr(NovacronFileTable) page = NULL;

        if (!qga_novacron_file_list(subcommand->client, &args, &page, error))
            return FALSE;
        if (!add_page(table, all, page)) {
            g_set_error(error, QGA_CLIENT_ERROR, QGA_CLIENT_ERROR_PROTOCOL,
                        "the rows have not as many cells as there are columns");
            return FALSE;
        }
        g_free(cursor);
        cursor = g_strdup(page->next);
    } while (cursor);
    return TRUE;
}

static int
print_json(JsonArray *all)
{
    static const char *const names[] = { "mode",        "uid",  "gid",  "size-bytes",
                                         "modified-ns", "type", "name", "target" };
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_ARRAY);
    JsonArray *list = json_array_new();

    for (guint i = 0; i < json_array_get_length(all); i++) {
        JsonArray *row = json_array_get_array_element(all, i);
        JsonObject *entry = json_object_new();
        for (guint n = 0; n < G_N_ELEMENTS(names); n++)
            if (!json_array_get_null_element(row, n))
                json_object_set_member(entry, names[n],
                                       json_node_copy(json_array_get_element(row, n)));
        json_array_add_object_element(list, entry);
    }
    json_node_take_array(node, list);
    output_json(node);
    return EXIT_SUCCESS;
}

int
ls_run(const Subcommand *subcommand, GError **error)
{
    static const char *const headings[] = { "MODE",     "UID",  "GID",  "SIZE",
                                            "MODIFIED", "TYPE", "NAME", "TARGET" };
    g_autoptr(JsonArray) all = json_array_new();
    g_autoptr(Table)
        table = table_new(headings, G_N_ELEMENTS(headings), subcommand->options->columns, error);

    if (!table || !list_all(subcommand, table, all, error))
        return -1;
    if (subcommand->options->as_json)
        return print_json(all);
    table_sort(table, NAME);
    table_print(table);
    return EXIT_SUCCESS;
}
