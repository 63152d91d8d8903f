/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * novacron-quiesce-apps: what runs, and whether the hooks know it. The hooks that come with
 * the agent are scripts in a folder beside the hook, named after what they make ready;
 * whether one succeeds is seen when it is run, at a freeze.
 */
#include "core/agent.h"
#include "core/refusal.h"
#include "core/work.h"
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

static gpointer
search(gpointer hook, GError **error)
{
    g_autoptr(GPtrArray) servers = servers_find(PROC, APPS_MAX);

    if (!servers) {
        ga_refuse(error, GA_REFUSAL_FAILED, "processes cannot be listed");
        return NULL;
    }

    g_autoptr(Hooks) hooks = hooks_read(hook, HOOKS_SETTINGS);
    GPtrArray *apps = g_ptr_array_new();
    for (guint i = 0; i < servers->len; i++)
        g_ptr_array_add(apps, describe(hooks, servers->pdata[i]));
    return apps;
}

void
novacron_quiesce_apps(GaCall *call)
{
    const GaConfig *config = ga_agent_config(ga_call_agent(call));

    ga_work_run(call, search, g_strdup(config->fsfreeze_hook), g_free);
}
