/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables. Each row is two texts, its key and itself, that follow each other with a NUL behind. */
#include "core/table.h"

#include <string.h>

#include "core/refusal.h"

/* Of the digest: too many for a guest's user to find two folders with the same. */
#define GENERATION_LENGTH 16

typedef struct {
    guint32 key, row; /* offsets into the text */
} Row;

struct GaTable {
    const QapiType *type;
    char *name;
    GPtrArray *columns; /* const QapiMember */
    GPtrArray *lacks;   /* those that cannot be had */
    GString *partial;   /* the same with reasons, as objects of JSON */
    char *place;
    char *next;
    gboolean is_full;
    QapiWriter *writer; /* until it is finished */
    char *text;
    gsize text_size;
    GArray *rows; /* Row */
    char *generation;
};

static const QapiMember *
find_member(const QapiType *type, const char *name)
{
    for (guint i = 0; i < type->n_members; i++)
        if (g_str_equal(type->members[i].name, name))
            return &type->members[i];
    return NULL;
}

static gboolean
add_column(GaTable *table, const QapiMember *member)
{
    if (g_ptr_array_find(table->columns, member, NULL))
        return FALSE;
    g_ptr_array_add(table->columns, (gpointer)(guintptr)member);
    return TRUE;
}

static gboolean
choose_columns(GaTable *table, const GPtrArray *names, GError **error)
{
    if (!names || names->len == 0) {
        for (guint i = 0; i < table->type->n_members; i++)
            add_column(table, &table->type->members[i]);
        return TRUE;
    }
    for (guint i = 0; i < names->len; i++) {
        const QapiMember *member = find_member(table->type, names->pdata[i]);

        if (!member)
            ga_refuse(error, GA_REFUSAL_BAD_VALUE, "there is no column '%s'",
                      (const char *)names->pdata[i]);
        else if (!add_column(table, member))
            ga_refuse(error, GA_REFUSAL_BAD_VALUE, "column '%s' stands twice", member->name);
        else
            continue;
        return FALSE;
    }
    return TRUE;
}

GaTable *
ga_table_new(const QapiType *row, const char *name, const GPtrArray *columns, const char *place,
             GError **error)
{
    g_autoptr(GaTable) table = g_new0(GaTable, 1);

    table->type = row;
    table->name = g_strdup(name);
    table->columns = g_ptr_array_new();
    table->lacks = g_ptr_array_new();
    table->partial = g_string_new(NULL);
    table->place = g_strdup(place);
    table->writer = qapi_writer_new();
    table->rows = g_array_new(FALSE, FALSE, sizeof(Row));
    return choose_columns(table, columns, error) ? g_steal_pointer(&table) : NULL;
}

void
ga_table_free(GaTable *table)
{
    if (!table)
        return;
    qapi_writer_free(table->writer);
    g_ptr_array_free(table->columns, TRUE);
    g_ptr_array_free(table->lacks, TRUE);
    g_string_free(table->partial, TRUE);
    g_array_free(table->rows, TRUE);
    g_free(table->generation);
    g_free(table->text);
    g_free(table->next);
    g_free(table->place);
    g_free(table->name);
    g_free(table);
}

gboolean
ga_table_wants(const GaTable *table, const char *column)
{
    return g_ptr_array_find(table->columns, find_member(table->type, column), NULL);
}

/* The next text begins here. */
static guint32
end_text(QapiWriter *writer)
{
    qapi_writer_raw_size(writer, "", 1);
    return (guint32)qapi_writer_size(writer);
}

gboolean
ga_table_add(GaTable *table, gconstpointer row)
{
    QapiWriter *writer = table->writer;
    gsize size = qapi_writer_size(writer);
    Row added = { .key = (guint32)size };

    table->is_full = size + table->rows->len * sizeof(Row) >= GA_TABLE_BYTES;
    if (table->is_full)
        return FALSE;

    qapi_write_member(writer, &table->type->members[0], row);
    added.row = end_text(writer);
    qapi_writer_raw(writer, "[");
    for (guint i = 0; i < table->columns->len; i++) {
        if (i)
            qapi_writer_raw(writer, ", ");
        qapi_write_member(writer, table->columns->pdata[i], row);
    }
    qapi_writer_raw(writer, "]");
    end_text(writer);
    g_array_append_val(table->rows, added);
    return TRUE;
}

void
ga_table_lack(GaTable *table, const char *column, const char *reason)
{
    const QapiMember *member = find_member(table->type, column);

    if (!g_ptr_array_find(table->columns, member, NULL) ||
        g_ptr_array_find(table->lacks, member, NULL))
        return;
    g_ptr_array_add(table->lacks, (gpointer)(guintptr)member);
    g_string_append_printf(table->partial, "%s{\"column\": \"%s\", \"reason\": \"%s\"}",
                           table->partial->len > 0 ? ", " : "", column, reason);
}

void
ga_table_break(GaTable *table, char *place)
{
    g_free(table->next);
    table->next = place;
}

const char *
ga_table_place(const GaTable *table)
{
    return table->place;
}

static char *
digest(const GaTable *table)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);

    g_checksum_update(sum, (const guchar *)table->name, (gssize)strlen(table->name) + 1);
    g_checksum_update(sum, (const guchar *)table->text, (gssize)table->text_size);
    g_checksum_update(sum, (const guchar *)table->partial->str, (gssize)table->partial->len);
    return g_strndup(g_checksum_get_string(sum), GENERATION_LENGTH);
}

gboolean
ga_table_finish(GaTable *table, GError **error)
{
    if (table->is_full && !table->next) {
        ga_refuse(error, GA_REFUSAL_BUDGET, "the table is larger than %u bytes", GA_TABLE_BYTES);
        return FALSE;
    }
    table->text = qapi_writer_to_text(table->writer, &table->text_size);
    g_clear_pointer(&table->writer, qapi_writer_free);
    table->generation = digest(table);
    return TRUE;
}

const char *
ga_table_name(const GaTable *table)
{
    return table->name;
}

const char *
ga_table_generation(const GaTable *table)
{
    return table->generation;
}

gboolean
ga_table_is_whole(const GaTable *table)
{
    return !table->place && !table->next;
}

const char *
ga_table_next(const GaTable *table)
{
    return table->next;
}

const char *
ga_table_partial(const GaTable *table)
{
    return table->partial->str;
}

gsize
ga_table_size(const GaTable *table)
{
    return sizeof *table + strlen(table->name) + table->text_size + table->rows->len * sizeof(Row) +
           table->columns->len * sizeof(gpointer);
}

guint
ga_table_n_rows(const GaTable *table)
{
    return table->rows->len;
}

const char *
ga_table_row(const GaTable *table, guint number)
{
    return table->text + g_array_index(table->rows, Row, number).row;
}

const char *
ga_table_key(const GaTable *table, guint number)
{
    return table->text + g_array_index(table->rows, Row, number).key;
}

GHashTable *
ga_table_index(const GaTable *table)
{
    g_autoptr(GHashTable) index = g_hash_table_new(g_str_hash, g_str_equal);
    gboolean is_clear = ga_table_wants(table, table->type->members[0].name);

    for (guint i = 0; is_clear && i < table->rows->len; i++)
        is_clear = g_hash_table_insert(index, table->text + g_array_index(table->rows, Row, i).key,
                                       GUINT_TO_POINTER(i));
    return is_clear ? g_steal_pointer(&index) : NULL;
}

void
ga_table_write_columns(const GaTable *table, QapiWriter *writer)
{
    qapi_writer_raw(writer, "[");
    for (guint i = 0; i < table->columns->len; i++) {
        const QapiMember *member = table->columns->pdata[i];

        if (i)
            qapi_writer_raw(writer, ", ");
        qapi_writer_string(writer, member->name);
    }
    qapi_writer_raw(writer, "]");
}
