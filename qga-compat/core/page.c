/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages.
 *
 * What is paged is one sequence: the rows of the table, then those of the table before. Each of the
 * former is told if it is new or another one, each of the latter if it is gone. A cursor is a place
 * in that sequence, GENERATION.BEFORE.POSITION, or @PLACE where a part of a larger table begins.
 * Nothing but the tables is kept for it.
 */
#include "core/page.h"

#include <string.h>

#include "core/bounds.h"
#include "core/refusal.h"

#define PLACE_MARK '@'

/* Around the rows: columns, cursor and what every reply has. */
#define ENVELOPE 1024

static const QapiMember *
find_argument(const QapiType *type, gconstpointer args, const char *name)
{
    for (guint i = 0; i < type->n_members; i++)
        if (g_str_equal(type->members[i].name, name))
            return qapi_member_is_present(&type->members[i], args) ? &type->members[i] : NULL;
    return NULL;
}

static gconstpointer
pointer_argument(const QapiType *type, gconstpointer args, const char *name)
{
    const QapiMember *member = find_argument(type, args, name);

    return member ? *(const gconstpointer *)((const char *)args + member->offset) : NULL;
}

static guint32
number_argument(const QapiType *type, gconstpointer args, const char *name, guint32 otherwise)
{
    const QapiMember *member = find_argument(type, args, name);

    return member ? *(const guint32 *)((const char *)args + member->offset) : otherwise;
}

gboolean
ga_page_is_argument(const char *name)
{
    static const char *const names[] = { "since", "cursor", "limit", "max-bytes", NULL };

    return g_strv_contains(names, name);
}

static gboolean
read_cursor(GaPage *page, const char *cursor, GError **error)
{
    if (cursor[0] == PLACE_MARK) {
        page->place = g_strdup(cursor + 1);
        return TRUE;
    }

    g_auto(GStrv) parts = g_strsplit(cursor, ".", -1);
    guint64 position;
    if (g_strv_length(parts) != 3 ||
        !g_ascii_string_to_unsigned(parts[2], 10, 0, G_MAXUINT, &position, NULL)) {
        ga_refuse(error, GA_REFUSAL_BAD_VALUE, "'%s' is no cursor", cursor);
        return FALSE;
    }
    page->generation = g_strdup(parts[0]);
    page->before = parts[1][0] ? g_strdup(parts[1]) : NULL;
    page->position = (guint)position;
    return TRUE;
}

gboolean
ga_page_init(GaPage *page, const QapiType *type, gconstpointer args, GError **error)
{
    const char *cursor = pointer_argument(type, args, "cursor");

    *page = (GaPage){
        .since = pointer_argument(type, args, "since"),
        .columns = pointer_argument(type, args, "columns"),
        .limit = number_argument(type, args, "limit", G_MAXUINT),
        .max_bytes = number_argument(type, args, "max-bytes", GA_REPLY_DEFAULT_BYTES),
    };
    if (page->max_bytes > GA_REPLY_MAX_BYTES)
        ga_refuse(error, GA_REFUSAL_BAD_VALUE, "max-bytes is at most %u", GA_REPLY_MAX_BYTES);
    else if (page->limit == 0)
        ga_refuse(error, GA_REFUSAL_BAD_VALUE, "limit is at least 1");
    else if (cursor && page->since)
        ga_refuse(error, GA_REFUSAL_BAD_VALUE, "a cursor knows itself what it goes on with");
    else
        return !cursor || read_cursor(page, cursor, error);
    return FALSE;
}

void
ga_page_clear(GaPage *page)
{
    g_free(page->place);
    g_free(page->generation);
    g_free(page->before);
}

/* The sequence. */
typedef struct {
    const GaTable *table, *before; /* before: NULL if all of the table is told */
    GHashTable *rows, *rows_before;
    guint n_rows, length;
} Telling;

static void
telling_init(Telling *telling, const GaTable *table, const GaTable *before)
{
    *telling = (Telling){ .table = table, .n_rows = ga_table_n_rows(table) };
    telling->length = telling->n_rows;
    if (!before)
        return;
    telling->rows = ga_table_index(table);
    telling->rows_before = ga_table_index(before);
    if (!telling->rows || !telling->rows_before)
        return;
    telling->before = before;
    telling->length += ga_table_n_rows(before);
}

static void
telling_clear(Telling *telling)
{
    g_clear_pointer(&telling->rows, g_hash_table_unref);
    g_clear_pointer(&telling->rows_before, g_hash_table_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Telling, telling_clear)

static gboolean
is_unchanged(const Telling *telling, guint number)
{
    gpointer found;

    return telling->before &&
           g_hash_table_lookup_extended(telling->rows_before, ga_table_key(telling->table, number),
                                        NULL, &found) &&
           g_str_equal(ga_table_row(telling->table, number),
                       ga_table_row(telling->before, GPOINTER_TO_UINT(found)));
}

/* What is to be told at a position: a row, or the key of one that is gone. NULL: nothing. */
static const char *
text_at(const Telling *telling, guint position)
{
    if (position < telling->n_rows)
        return is_unchanged(telling, position) ? NULL : ga_table_row(telling->table, position);

    const char *key = ga_table_key(telling->before, position - telling->n_rows);
    return g_hash_table_contains(telling->rows, key) ? NULL : key;
}

static void
append(GString *texts, const char *text)
{
    if (texts->len > 0)
        g_string_append(texts, ", ");
    g_string_append(texts, text);
}

/* Returns where the next page begins. */
static guint
collect(const GaPage *page, const Telling *telling, GString *rows, GString *removed)
{
    gsize bytes = ENVELOPE;
    guint n_told = 0;
    guint position = page->position;

    for (; position < telling->length; position++) {
        const char *text = text_at(telling, position);

        if (!text)
            continue;
        bytes += strlen(text) + strlen(", ");
        /* One at least, or a client would never get on. */
        if (n_told == page->limit || (n_told > 0 && bytes > page->max_bytes))
            break;
        append(position < telling->n_rows ? rows : removed, text);
        n_told++;
    }
    return position;
}

/* NULL: this is all. */
static char *
next_cursor(const Telling *telling, guint position)
{
    const char *place = ga_table_next(telling->table);

    if (position < telling->length)
        return g_strdup_printf("%s.%s.%u", ga_table_generation(telling->table),
                               telling->before ? ga_table_generation(telling->before) : "",
                               position);
    return place ? g_strdup_printf("%c%s", PLACE_MARK, place) : NULL;
}

static void
write_list(QapiWriter *writer, const char *name, const char *texts)
{
    if (!*texts)
        return;
    qapi_writer_raw(writer, ", ");
    qapi_writer_string(writer, name);
    qapi_writer_raw(writer, ": [");
    qapi_writer_raw(writer, texts);
    qapi_writer_raw(writer, "]");
}

static void
write_word(QapiWriter *writer, const char *name, const char *word)
{
    qapi_writer_raw(writer, ", ");
    qapi_writer_string(writer, name);
    qapi_writer_raw(writer, ": ");
    qapi_writer_string(writer, word);
}

/* The members are in the order that the rule for all objects gives them. */
void
ga_page_write(const GaPage *page, const GaTable *table, const GaTable *before, QapiWriter *writer)
{
    g_auto(Telling) telling;
    g_autoptr(GString) rows = g_string_new(NULL);
    g_autoptr(GString) removed = g_string_new(NULL);

    telling_init(&telling, table, before);
    g_autofree char *next = next_cursor(&telling, collect(page, &telling, rows, removed));

    qapi_writer_raw(writer, "{\"rows\": [");
    qapi_writer_raw_size(writer, rows->str, rows->len);
    qapi_writer_raw(writer, "]");
    write_list(writer, "removed", removed->str);
    qapi_writer_raw(writer, ", \"columns\": ");
    ga_table_write_columns(table, writer);
    if (page->since && !telling.before)
        qapi_writer_raw(writer, ", \"reset\": true");
    write_list(writer, "partial", ga_table_partial(table));
    if (next)
        write_word(writer, "next", next);
    if (ga_table_is_whole(table))
        write_word(writer, "generation", ga_table_generation(table));
    qapi_writer_raw(writer, "}");
}

void
ga_page_write_same(const GaPage *page, QapiWriter *writer)
{
    qapi_writer_raw(writer, "{\"rows\": []");
    write_word(writer, "generation", page->since);
    qapi_writer_raw(writer, "}");
}
