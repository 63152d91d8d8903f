/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "extensions/quiesce/app.h"

#include <unistd.h>

#include "client/client.h"

/* Accounts of people, by the usual settings of the tools that make them; those of a directory are
 * above. What one of them runs is not asked: whoever is to be waited for could hold a freeze up.
 * Between them are services that systemd gives an account while they run, and nobody. */
#define PERSON_MIN 1000
#define SERVICE_MIN 61184
#define SERVICE_MAX 65534

/* Words that an answer may have; the rest of a longer one is left out. */
#define TEXT_MAX 512

static const char *const programs[] = {
    [NOVACRON_QUIESCE_KIND_POSTGRESQL] = "postgresql-worker",
    [NOVACRON_QUIESCE_KIND_MYSQL] = "mariadb-worker",
    [NOVACRON_QUIESCE_KIND_MARIADB] = "mariadb-worker",
    [NOVACRON_QUIESCE_KIND_MONGODB] = "mongodb-worker",
    [NOVACRON_QUIESCE_KIND_REDIS] = "redis-worker",
};

/* TRUE: a worker that knows it can be executed. */
static gboolean
find_worker(const Server *server, const char *directory, char **ret_program)
{
    *ret_program = g_build_filename(directory, programs[server->kind], NULL);
    return access(*ret_program, X_OK) == 0;
}

static gboolean
is_persons(guint uid)
{
    return uid >= PERSON_MIN && (uid < SERVICE_MIN || uid > SERVICE_MAX) && uid != geteuid();
}

static gboolean
can_be_asked(const Server *server, const Hooks *hooks, const char *directory, char **ret_program,
             NovacronQuiesceReason *ret_reason)
{
    if (hooks_have_mode(hooks, server->kind, "off"))
        *ret_reason = NOVACRON_QUIESCE_REASON_OFF;
    else if (!find_worker(server, directory, ret_program))
        *ret_reason = NOVACRON_QUIESCE_REASON_NO_WORKER;
    else if (server->is_elsewhere)
        *ret_reason = NOVACRON_QUIESCE_REASON_IN_CONTAINER;
    else if (is_persons(server->uid))
        *ret_reason = NOVACRON_QUIESCE_REASON_OTHER_USER;
    else
        return TRUE;
    return FALSE;
}

App *
app_new(Server *server, const Hooks *hooks, const char *proc, const char *directory,
        NovacronQuiesceReason *ret_reason)
{
    g_autofree char *program = NULL;
    Endpoint endpoint = { NULL, 0 };

    gboolean can = can_be_asked(server, hooks, directory, &program, ret_reason);
    if (can && !endpoint_find(proc, server->pid, server->kind, &endpoint)) {
        *ret_reason = NOVACRON_QUIESCE_REASON_NO_SOCKET;
        can = FALSE;
    }
    if (!can) {
        server_free(server);
        return NULL;
    }

    App *app = g_new0(App, 1);
    app->server = server;
    app->endpoint = endpoint;
    app->has_read_lock = hooks_have_mode(hooks, server->kind, "read-lock");
    app->worker = ga_worker_new(program, server->uid);
    app->state = NOVACRON_QUIESCE_APP_STATE_FOUND;
    return app;
}

void
app_free(App *app)
{
    if (!app)
        return;
    ga_worker_free(app->worker);
    endpoint_clear(&app->endpoint);
    server_free(app->server);
    g_free(app->version);
    g_free(app->detail);
    g_free(app->position);
    g_free(app->error);
    g_free(app);
}

/* A worker may have been taken over by its server: what it says is text of bounded length. */
static char *
text_of(const char *told)
{
    return told ? g_strndup(told, TEXT_MAX) : NULL;
}

gboolean
app_prepare(const App *app, AppStep *step, GError **error)
{
    const DatabasePrepareArgs args = { .address = app->endpoint.address,
                                       .has_port = app->endpoint.port != 0,
                                       .port = app->endpoint.port,
                                       .uid = app->server->uid,
                                       .read_lock = app->has_read_lock,
                                       .limit_ms = step->limit_ms };
    DatabasePrepared *prepared = NULL;

    ga_worker_set_limit(app->worker, step->limit_ms);
    if (!ga_worker_start(app->worker, error) ||
        !qga_database_prepare(app->worker, &args, &prepared, error))
        return FALSE;
    step->version = text_of(prepared->version);
    step->detail = text_of(prepared->detail);
    qapi_free(&database_prepared_type, prepared);
    return TRUE;
}

gboolean
app_hold(const App *app, AppStep *step, GError **error)
{
    const DatabaseHoldArgs args = { .limit_ms = step->limit_ms, .held_ms = step->held_ms };
    DatabaseHeld *held = NULL;

    ga_worker_set_limit(app->worker, step->limit_ms);
    if (!qga_database_hold(app->worker, &args, &held, error))
        return FALSE;
    step->position = text_of(held->position);
    qapi_free(&database_held_type, held);
    return TRUE;
}

gboolean
app_release(const App *app, AppStep *step, GError **error)
{
    ga_worker_set_limit(app->worker, step->limit_ms);
    return qga_database_release(app->worker, error);
}

void
app_step_clear(AppStep *step)
{
    g_free(step->version);
    g_free(step->detail);
    g_free(step->position);
}

NovacronQuiesceHeldApp *
app_describe(const App *app)
{
    NovacronQuiesceHeldApp *held = g_new0(NovacronQuiesceHeldApp, 1);

    held->kind = app->server->kind;
    held->pid = app->server->pid;
    held->state = app->state;
    held->version = g_strdup(app->version);
    held->detail = g_strdup(app->detail);
    held->position = g_strdup(app->position);
    held->error = g_strdup(app->error);
    return held;
}
