/* SPDX-License-Identifier: GPL-2.0-or-later */
/* novacron-quiesce-begin: a job that looks for applications and has their workers prepare them. */
#include "core/task.h"
#include "extensions/job/job.h"
#include "extensions/quiesce/app.h"
#include "extensions/quiesce/prepared.h"
#include "gen/quiesce-commands.h"

/* A checkpoint may write all that a large server has in memory. */
#define LIMIT_DEFAULT_MS 60000
#define LIMIT_MAX_MS 1800000

/* What goes to a thread and comes back. */
typedef struct {
    struct Begin *begin; /* NULL: it has gone */
    char *directory;
    guint32 wanted; /* kinds, a bit for each */
    GPtrArray *apps;
    gboolean has_all; /* that there are */
} Search;

typedef struct Begin {
    GaAgent *agent;
    GaJob *job;
    Search *search; /* until it is done */
    Holding *holding;
    gboolean is_lenient, is_cancelled;
    guint limit_ms;
} Begin;

static void
search_free(Search *search)
{
    if (!search)
        return;
    g_free(search->directory);
    if (search->apps)
        g_ptr_array_unref(search->apps);
    g_free(search);
}

/* The search may be on its thread, and then finds nobody. */
static void
begin_free(gpointer data)
{
    Begin *begin = data;

    if (begin->search && begin->job)
        begin->search->begin = NULL;
    else
        search_free(begin->search);
    holding_free(begin->holding);
    g_free(begin);
}

static void
begin_cancel(gpointer data)
{
    Begin *begin = data;

    begin->is_cancelled = TRUE;
    if (begin->holding)
        holding_cancel(begin->holding);
}

static void
fail(Begin *begin, GError *error)
{
    ga_job_fail(begin->job, ga_refusal_of(error), error);
}

static void
conclude(Begin *begin)
{
    NovacronQuiescePrepared prepared = { holding_describe(begin->holding) };
    const NovacronQuiescePrepared *place = &prepared;
    NovacronJobOutcome outcome = holding_has_failures(begin->holding)
                                     ? NOVACRON_JOB_OUTCOME_PARTIAL
                                     : NOVACRON_JOB_OUTCOME_SUCCESS;

    prepared_put(begin->agent, ga_job_seen(begin->job)->id, g_steal_pointer(&begin->holding));
    ga_job_conclude(begin->job, outcome, &place);
    qapi_clear(&novacron_quiesce_prepared_type, &prepared, FALSE);
}

static void
prepared(GError *error, gpointer user_data)
{
    Begin *begin = user_data;

    if (begin->is_cancelled && !error)
        ga_refuse(&error, GA_REFUSAL_CANCELLED, "a client has cancelled it");
    if (error)
        fail(begin, error);
    else
        conclude(begin);
}

/* On the thread. */

static void
add(Search *search, const Hooks *hooks, Server *server)
{
    NovacronQuiesceReason reason;
    App *app = app_new(server, hooks, SERVERS_PROC, search->directory, &reason);

    if (app)
        g_ptr_array_add(search->apps, app);
}

static void
look(gpointer data)
{
    Search *search = data;
    g_autoptr(Hooks) hooks = hooks_read(NULL, HOOKS_SETTINGS);
    g_autoptr(GPtrArray) servers = servers_find(SERVERS_PROC, SERVERS_MAX);

    search->apps = g_ptr_array_new();
    search->has_all = servers && servers->len < SERVERS_MAX;
    for (guint i = 0; servers && i < servers->len; i++) {
        const Server *server = servers->pdata[i];

        if (search->wanted & 1u << server->kind)
            add(search, hooks, g_steal_pointer(&servers->pdata[i]));
    }
}

static void
looked(gpointer data)
{
    Search *search = data;
    Begin *begin = search->begin;
    Holding *holding = holding_new(g_steal_pointer(&search->apps), begin && begin->is_lenient);
    gboolean has_all = search->has_all;
    GError *error = NULL;

    search_free(search);
    if (!begin) {
        holding_free(holding);
        return;
    }
    begin->search = NULL;
    begin->holding = holding;
    if (!has_all) {
        ga_refuse(&error, GA_REFUSAL_BUDGET,
                  "not all servers can be seen, or there are too many: %d or more", SERVERS_MAX);
        fail(begin, error);
        return;
    }
    if (begin->is_cancelled)
        holding_cancel(holding);
    ga_job_progress(begin->job, 1, 2, "preparing");
    holding_prepare(holding, begin->limit_ms, prepared, begin);
}

/* The command. */

static guint32
wanted_kinds(const NovacronQuiesceBeginArgs *args)
{
    guint32 wanted = 0;

    if (!args->apps)
        return G_MAXUINT32;
    for (guint i = 0; i < args->apps->len; i++)
        wanted |= 1u << g_array_index(args->apps, NovacronQuiesceKind, i);
    return wanted;
}

static Begin *
begin_new(GaAgent *agent, const NovacronQuiesceBeginArgs *args)
{
    const GaConfig *config = ga_agent_config(agent);
    Begin *begin = g_new0(Begin, 1);
    Search *search = g_new0(Search, 1);

    search->begin = begin;
    search->directory = g_strdup(ga_config_worker_directory(config));
    search->wanted = wanted_kinds(args);
    begin->agent = agent;
    begin->search = search;
    begin->is_lenient = args->has_lenient && args->lenient;
    begin->limit_ms = args->has_limit_ms ? args->limit_ms : LIMIT_DEFAULT_MS;
    return begin;
}

static void
begin_begin(GaJob *job, gpointer data)
{
    Begin *begin = data;

    begin->job = job;
    ga_job_progress(job, 0, 2, "looking");
    ga_task_run_patiently(look, looked, begin->search);
}

void
novacron_quiesce_begin(GaCall *call, const NovacronQuiesceBeginArgs *args)
{
    static const GaJobKind kind = { .command = "novacron-quiesce-begin",
                                    .area = "quiesce",
                                    .unit = "steps",
                                    .result = &novacron_quiesce_prepared_type,
                                    .begin = begin_begin,
                                    .cancel = begin_cancel,
                                    .free = begin_free };
    GError *error = NULL;

    if (args->has_limit_ms && (args->limit_ms == 0 || args->limit_ms > LIMIT_MAX_MS)) {
        ga_refuse(&error, GA_REFUSAL_BAD_VALUE, "a limit is between 1 and %u milliseconds",
                  LIMIT_MAX_MS);
        ga_call_fail(call, error);
        return;
    }

    GaAgent *agent = ga_call_agent(call);
    const GaJob *job = ga_job_start(agent, &kind, args->request_id, begin_new(agent, args), &error);
    if (job)
        novacron_quiesce_begin_return(call, ga_job_seen(job));
    else
        ga_call_fail(call, error);
}
