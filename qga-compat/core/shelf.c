/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shelf: a short list, the table that was asked for last in front. */
#include "core/shelf.h"

#define SWEEP_SECONDS 30

typedef struct {
    GaTable *table;
    gint64 used;
} Kept;

struct GaShelf {
    GQueue kept; /* Kept */
    gsize bytes;
    guint timer;
};

GaShelf *
ga_shelf_new(void)
{
    GaShelf *shelf = g_new0(GaShelf, 1);

    g_queue_init(&shelf->kept);
    return shelf;
}

static void
drop_last(GaShelf *shelf)
{
    Kept *kept = g_queue_pop_tail(&shelf->kept);

    shelf->bytes -= ga_table_size(kept->table);
    ga_table_free(kept->table);
    g_free(kept);
}

void
ga_shelf_free(GaShelf *shelf)
{
    if (!shelf)
        return;
    while (!g_queue_is_empty(&shelf->kept))
        drop_last(shelf);
    if (shelf->timer)
        g_source_remove(shelf->timer);
    g_free(shelf);
}

void
ga_shelf_sweep(GaShelf *shelf, gint64 now)
{
    const Kept *last;

    while ((last = g_queue_peek_tail(&shelf->kept)) && now - last->used > GA_SHELF_POLL_US)
        drop_last(shelf);
}

static gboolean
on_time(gpointer user_data)
{
    GaShelf *shelf = user_data;

    ga_shelf_sweep(shelf, g_get_monotonic_time());
    if (!g_queue_is_empty(&shelf->kept))
        return G_SOURCE_CONTINUE;
    shelf->timer = 0;
    return G_SOURCE_REMOVE;
}

static GList *
find(GaShelf *shelf, const char *name, const char *generation)
{
    for (GList *link = shelf->kept.head; link; link = link->next) {
        const GaTable *table = ((const Kept *)link->data)->table;

        if (g_str_equal(ga_table_generation(table), generation) &&
            g_str_equal(ga_table_name(table), name))
            return link;
    }
    return NULL;
}

static void
touch(GaShelf *shelf, GList *link, gint64 now)
{
    Kept *kept = link->data;

    kept->used = now;
    g_queue_unlink(&shelf->kept, link);
    g_queue_push_head_link(&shelf->kept, link);
}

const GaTable *
ga_shelf_find(GaShelf *shelf, const char *name, const char *generation, gint64 age, gint64 now)
{
    GList *link = find(shelf, name, generation);

    if (!link || now - ((const Kept *)link->data)->used > age)
        return NULL;
    touch(shelf, link, now);
    return ((const Kept *)link->data)->table;
}

void
ga_shelf_put(GaShelf *shelf, GaTable *table, gint64 now)
{
    GList *same = find(shelf, ga_table_name(table), ga_table_generation(table));

    if (same) {
        touch(shelf, same, now);
        ga_table_free(table);
        return;
    }

    Kept *kept = g_new(Kept, 1);
    *kept = (Kept){ table, now };
    g_queue_push_head(&shelf->kept, kept);
    shelf->bytes += ga_table_size(table);
    while (shelf->kept.length > GA_SHELF_TABLES || shelf->bytes > GA_SHELF_BYTES)
        drop_last(shelf);
    if (!shelf->timer)
        shelf->timer = g_timeout_add_seconds(SWEEP_SECONDS, on_time, shelf);
}
