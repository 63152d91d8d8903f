/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * novacron-quiesce-apps: what runs, and whether a worker or the hooks know it. The hooks that come
 * with the agent are scripts in a folder beside the hook, named after what they make ready; whether
 * one succeeds, or a worker, is seen when it is done.
 */
#include "core/agent.h"
#include "core/listing.h"
#include "core/refusal.h"
#include "extensions/quiesce/app.h"
#include "gen/quiesce-commands.h"

/* What the search goes by. */
typedef struct {
    char *hook, *workers;
} Search;

static void
search_free(gpointer data)
{
    Search *search = data;

    g_free(search->hook);
    g_free(search->workers);
    g_free(search);
}

static NovacronQuiesceApp *
describe(const Search *search, const Hooks *hooks, Server *server)
{
    NovacronQuiesceApp *app = g_new0(NovacronQuiesceApp, 1);

    app->kind = server->kind;
    app->pid = server->pid;
    app->started_ticks = server->started;
    app->program = g_strdup(server->program);
    app->has_reason = !hooks_look_up(hooks, server->kind, &app->script, &app->reason);

    g_autoptr(App)
        with_worker = app_new(server, hooks, SERVERS_PROC, search->workers, &app->worker_reason);
    app->worker = with_worker != NULL;
    app->has_worker_reason = !app->worker;
    app->ready = app->worker || app->script;
    return app;
}

static gboolean
look(GaTable *table, gpointer data, GError **error)
{
    const Search *search = data;
    g_autoptr(GPtrArray) servers = servers_find(SERVERS_PROC, SERVERS_MAX);

    if (!servers) {
        ga_refuse(error, GA_REFUSAL_FAILED, "processes cannot be listed");
        return FALSE;
    }

    g_autoptr(Hooks) hooks = hooks_read(search->hook, HOOKS_SETTINGS);
    for (guint i = 0; i < servers->len; i++) {
        Server *server = g_steal_pointer(&servers->pdata[i]);
        g_autoptr(NovacronQuiesceApp) app = describe(search, hooks, server);

        ga_table_add(table, app);
    }
    return TRUE;
}

void
novacron_quiesce_apps(GaCall *call, const NovacronPage *args)
{
    static const GaListing apps = { &novacron_quiesce_app_type, look, .on_thread = TRUE,
                                    .free_data = search_free };
    const GaConfig *config = ga_agent_config(ga_call_agent(call));
    Search *search = g_new(Search, 1);

    search->hook = g_strdup(config->fsfreeze_hook);
    search->workers = g_strdup(ga_config_worker_directory(config));
    ga_listing_run(&apps, call, args, search);
}
