/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Listings: which table is told, and of which the changes. */
#include "core/listing.h"

#include "core/agent.h"
#include "core/page.h"
#include "core/refusal.h"
#include "core/shelf.h"
#include "core/task.h"

/* What is kept for an agent. */
typedef struct {
    GaShelf *shelf;
    char *secret; /* in the names of all tables, so that nobody in the guest can find two lists that
                     have the same generation */
} Tables;

/* A table that is being filled. */
typedef struct {
    const GaListing *listing;
    GaCall *call;
    gpointer data;
    GaPage page; /* borrows from the call */
    GaTable *table;
    GError *error;
} Run;

static gpointer
tables_open(G_GNUC_UNUSED GaAgent *agent)
{
    Tables *tables = g_new(Tables, 1);

    *tables = (Tables){ ga_shelf_new(), g_uuid_string_random() };
    return tables;
}

static void
tables_close(gpointer state)
{
    Tables *tables = state;

    ga_shelf_free(tables->shelf);
    g_free(tables->secret);
    g_free(tables);
}

static Tables *
tables_of(const GaCall *call)
{
    static const GaSlot slot = { "tables", tables_open, tables_close };

    return ga_agent_slot(ga_call_agent(call), &slot);
}

/* What is listed: the command and its arguments, without those of the page. */
static char *
name_of(const GaCall *call, gconstpointer args)
{
    g_autoptr(QapiWriter) writer = qapi_writer_new();
    const GaCommand *command = ga_call_command(call);

    qapi_writer_raw(writer, tables_of(call)->secret);
    qapi_writer_raw(writer, command->name);
    for (guint i = 0; i < command->args->n_members; i++) {
        if (ga_page_is_argument(command->args->members[i].name))
            continue;
        qapi_writer_raw(writer, " ");
        qapi_write_member(writer, &command->args->members[i], args);
    }
    return qapi_writer_to_text(writer, NULL);
}

static void
run_free(Run *run)
{
    if (run->listing->free_data)
        run->listing->free_data(run->data);
    ga_page_clear(&run->page);
    ga_table_free(run->table);
    g_free(run);
}

/* With what is written, or the error. */
static void
answer(Run *run, QapiWriter *writer)
{
    GaCall *call = run->call;
    GError *error = run->error;
    gsize size;

    run_free(run);
    if (error) {
        ga_call_fail(call, error);
        return;
    }
    g_autofree char *text = qapi_writer_to_text(writer, &size);
    ga_call_return_text(call, text, size);
}

static void
fill(gpointer data)
{
    Run *run = data;

    if (run->listing->fill(run->table, run->data, &run->error))
        ga_table_finish(run->table, &run->error);
}

static void
write_first_page(Run *run, QapiWriter *writer)
{
    GaShelf *shelf = tables_of(run->call)->shelf;
    gint64 now = g_get_monotonic_time();
    const char *since = ga_table_is_whole(run->table) ? run->page.since : NULL;
    const GaTable *before = NULL;

    if (since)
        before = ga_shelf_find(shelf, ga_table_name(run->table), since, GA_SHELF_POLL_US, now);
    if (since && g_str_equal(since, ga_table_generation(run->table)))
        ga_page_write_same(&run->page, writer);
    else
        ga_page_write(&run->page, run->table, before, writer);
    ga_shelf_put(shelf, g_steal_pointer(&run->table), now);
}

static void
filled(gpointer data)
{
    Run *run = data;
    g_autoptr(QapiWriter) writer = qapi_writer_new();

    if (!run->error)
        write_first_page(run, writer);
    answer(run, writer);
}

static void
go_on(Run *run, const char *name)
{
    g_autoptr(QapiWriter) writer = qapi_writer_new();
    GaShelf *shelf = tables_of(run->call)->shelf;
    gint64 now = g_get_monotonic_time();
    const GaPage *page = &run->page;
    const GaTable *table = ga_shelf_find(shelf, name, page->generation, GA_SHELF_PAGE_US, now);
    const GaTable *before = NULL;

    if (page->before)
        before = ga_shelf_find(shelf, name, page->before, GA_SHELF_PAGE_US, now);
    if (!table || (page->before && !before))
        ga_refuse(&run->error, GA_REFUSAL_CURSOR_EXPIRED, "start over");
    else
        ga_page_write(page, table, before, writer);
    answer(run, writer);
}

void
ga_listing_run(const GaListing *listing, GaCall *call, gconstpointer args, gpointer data)
{
    Run *run = g_new(Run, 1);
    g_autofree char *name = name_of(call, args);

    *run = (Run){ .listing = listing, .call = call, .data = data };
    if (!ga_page_init(&run->page, ga_call_command(call)->args, args, &run->error)) {
        answer(run, NULL);
        return;
    }
    if (run->page.generation) {
        go_on(run, name);
        return;
    }

    run->table = ga_table_new(listing->row, name, run->page.columns, run->page.place, &run->error);
    if (!run->table) {
        answer(run, NULL);
    } else if (listing->on_thread) {
        ga_task_run(fill, filled, run);
    } else {
        fill(run);
        filled(run);
    }
}
