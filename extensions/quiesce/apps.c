/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * novacron-quiesce-apps: what runs, and whether the hooks know it. The hooks that come with
 * the agent are scripts in a folder beside the hook, named after what they make ready;
 * whether one succeeds is seen when it is run, at a freeze.
 */
#include "core/agent.h"
#include "core/listing.h"
#include "core/refusal.h"
#include "extensions/quiesce/hooks.h"
#include "extensions/quiesce/servers.h"
#include "gen/quiesce-commands.h"

#define PROC "/proc"

/* A guest with more is no guest but a test. */
#define APPS_MAX 64

static NovacronQuiesceApp *
describe(const Hooks *hooks, Server *server)
{
    NovacronQuiesceApp *app = g_new0(NovacronQuiesceApp, 1);

    app->kind = server->kind;
    app->pid = server->pid;
    app->started_ticks = server->started;
    app->program = g_steal_pointer(&server->program);
    app->ready = hooks_look_up(hooks, server->kind, &app->script, &app->reason);
    app->has_reason = !app->ready;
    return app;
}

static gboolean
search(GaTable *table, gpointer hook, GError **error)
{
    g_autoptr(GPtrArray) servers = servers_find(PROC, APPS_MAX);

    if (!servers) {
        ga_refuse(error, GA_REFUSAL_FAILED, "processes cannot be listed");
        return FALSE;
    }

    g_autoptr(Hooks) hooks = hooks_read(hook, HOOKS_SETTINGS);
    for (guint i = 0; i < servers->len; i++) {
        g_autoptr(NovacronQuiesceApp) app = describe(hooks, servers->pdata[i]);
        ga_table_add(table, app);
    }
    return TRUE;
}

void
novacron_quiesce_apps(GaCall *call, const NovacronPage *args)
{
    static const GaListing apps = { &novacron_quiesce_app_type, search, .on_thread = TRUE,
                                    .free_data = g_free };
    const GaConfig *config = ga_agent_config(ga_call_agent(call));

    ga_listing_run(&apps, call, args, g_strdup(config->fsfreeze_hook));
}
