/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "extensions/quiesce/holding.h"

#include <string.h>

#include "core/task.h"
#include "extensions/quiesce/app.h"

/* One who has a lock already is waited for, for no longer than a freeze can wait. */
#define HOLD_LIMIT_MS 10000

/* After a thaw, a server has much to do. */
#define RELEASE_LIMIT_MS 10000

struct Holding {
    GaFreezeHolder base;
    GPtrArray *apps;
    gboolean is_lenient;
    gboolean is_freed; /* when the last thread has come back */
    guint held_ms;

    guint n_running;  /* threads, and who begins them */
    GError *error;    /* of this step */
    gboolean is_last; /* step: nobody is needed any more */
    HoldingDone done;
    gpointer user_data;
};

typedef gboolean (*StepFunc)(const App *app, AppStep *step, GError **error);

/* A step of one application. */
typedef struct {
    Holding *holding;
    App *app;
    StepFunc func;
    NovacronQuiesceAppState state; /* that it leads to */
    AppStep step;
    gboolean is_done;
    GError *error;
} Running;

static void
destroy(Holding *holding)
{
    g_ptr_array_unref(holding->apps);
    g_clear_error(&holding->error);
    g_free(holding);
}

void
holding_free(Holding *holding)
{
    if (!holding)
        return;
    holding->is_freed = TRUE;
    holding_cancel(holding);
    if (holding->n_running == 0)
        destroy(holding);
}

void
holding_cancel(Holding *holding)
{
    for (guint i = 0; i < holding->apps->len; i++) {
        const App *app = holding->apps->pdata[i];

        if (app->worker)
            ga_worker_kill(app->worker);
    }
}

/* Steps. */

/* Whatever it holds is let go; nothing of it stays, be it a zombie. */
static void
end_worker(App *app)
{
    g_clear_pointer(&app->worker, ga_worker_free);
}

static void
finish(Holding *holding)
{
    HoldingDone done = holding->done;

    holding->done = NULL;
    for (guint i = 0; holding->is_last && i < holding->apps->len; i++)
        end_worker(holding->apps->pdata[i]);
    done(g_steal_pointer(&holding->error), holding->user_data);
}

static void
take(char **text, char **from)
{
    if (*from) {
        g_free(*text);
        *text = g_steal_pointer(from);
    }
}

static void
fail(Holding *holding, App *app, GError *error)
{
    app->state = NOVACRON_QUIESCE_APP_STATE_FAILED;
    if (!app->error)
        app->error = g_strdup(error->message);
    end_worker(app);
    if (!holding->error && !holding->is_lenient)
        holding->error = g_steal_pointer(&error);
    g_clear_error(&error);
}

static void
one_less(Holding *holding)
{
    if (--holding->n_running > 0)
        return;
    if (holding->is_freed)
        destroy(holding);
    else
        finish(holding);
}

static void
come_back(gpointer data)
{
    Running *running = data;
    Holding *holding = running->holding;
    App *app = running->app;

    if (running->is_done) {
        app->state = running->state;
        take(&app->version, &running->step.version);
        take(&app->detail, &running->step.detail);
        take(&app->position, &running->step.position);
    } else {
        fail(holding, app, g_steal_pointer(&running->error));
    }
    app_step_clear(&running->step);
    g_free(running);
    one_less(holding);
}

static void
run(gpointer data)
{
    Running *running = data;

    running->is_done = running->func(running->app, &running->step, &running->error);
}

/* Not from within begin(), should nobody have anything to do. */
static gboolean
all_have_begun(gpointer holding)
{
    one_less(holding);
    return G_SOURCE_REMOVE;
}

static void
start(const Running *template, App *app)
{
    Running *running = g_new(Running, 1);

    *running = *template;
    running->app = app;
    running->holding->n_running++;
    /* not in the pool: a server that hangs would hold up everybody else */
    ga_task_run_patiently(run, come_back, running);
}

/* With those that are in the state `from`. */
static void
begin(Holding *holding, Running template, NovacronQuiesceAppState from, HoldingDone done,
      gpointer user_data)
{
    g_return_if_fail(holding->n_running == 0);
    template.holding = holding;
    holding->done = done;
    holding->user_data = user_data;
    holding->n_running = 1;
    g_idle_add_full(G_PRIORITY_DEFAULT, all_have_begun, holding, NULL);
    for (guint i = 0; i < holding->apps->len; i++) {
        App *app = holding->apps->pdata[i];

        if (app->state == from)
            start(&template, app);
    }
}

void
holding_prepare(Holding *holding, guint limit_ms, HoldingDone done, gpointer user_data)
{
    begin(holding,
          (Running){ .func = app_prepare,
                     .state = NOVACRON_QUIESCE_APP_STATE_PREPARED,
                     .step = { .limit_ms = limit_ms } },
          NOVACRON_QUIESCE_APP_STATE_FOUND, done, user_data);
}

/* For the freezer. */

static void
hold(GaFreezeHolder *holder, GaFreezeHeld held, gpointer user_data)
{
    Holding *holding = (Holding *)holder;

    begin(holding,
          (Running){ .func = app_hold,
                     .state = NOVACRON_QUIESCE_APP_STATE_HELD,
                     .step = { .limit_ms = HOLD_LIMIT_MS, .held_ms = holding->held_ms } },
          NOVACRON_QUIESCE_APP_STATE_PREPARED, held, user_data);
}

/* Who fails now has not been held until now, and that is to be told, lenient or not. */
static void
release(GaFreezeHolder *holder, GaFreezeHeld released, gpointer user_data)
{
    Holding *holding = (Holding *)holder;

    holding->is_lenient = FALSE;
    holding->is_last = TRUE;
    begin(holding,
          (Running){ .func = app_release,
                     .state = NOVACRON_QUIESCE_APP_STATE_RELEASED,
                     .step = { .limit_ms = RELEASE_LIMIT_MS } },
          NOVACRON_QUIESCE_APP_STATE_HELD, released, user_data);
}

/* The hook goes by what a server says of itself, for want of its program. */
static NovacronQuiesceKind
kind_for_hook(const App *app)
{
    gboolean is_mariadb = app->server->kind == NOVACRON_QUIESCE_KIND_MYSQL && app->version &&
                          strstr(app->version, "MariaDB");

    return is_mariadb ? NOVACRON_QUIESCE_KIND_MARIADB : app->server->kind;
}

static char *
kinds(const GaFreezeHolder *holder)
{
    const Holding *holding = holding_of(holder);
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < holding->apps->len; i++) {
        const App *app = holding->apps->pdata[i];

        if (app->state != NOVACRON_QUIESCE_APP_STATE_FAILED)
            g_string_append_printf(text, "%s%s", text->len ? " " : "",
                                   novacron_quiesce_kind_type.values[kind_for_hook(app)]);
    }
    return g_string_free(text, FALSE);
}

static void
holder_free(GaFreezeHolder *holder)
{
    holding_free((Holding *)holder);
}

static const GaFreezeHolderClass holder_class = { hold, release, kinds, holder_free };

GaFreezeHolder *
holding_as_holder(Holding *holding, guint held_ms)
{
    holding->held_ms = held_ms;
    return &holding->base;
}

const Holding *
holding_of(const GaFreezeHolder *holder)
{
    return (const Holding *)holder;
}

Holding *
holding_new(GPtrArray *apps, gboolean is_lenient)
{
    Holding *holding = g_new0(Holding, 1);

    holding->base.class = &holder_class;
    holding->apps = apps;
    g_ptr_array_set_free_func(apps, (GDestroyNotify)app_free);
    holding->is_lenient = is_lenient;
    return holding;
}

GPtrArray *
holding_describe(const Holding *holding)
{
    GPtrArray *list = g_ptr_array_new();

    for (guint i = 0; i < holding->apps->len; i++)
        g_ptr_array_add(list, app_describe(holding->apps->pdata[i]));
    return list;
}

gboolean
holding_has_failures(const Holding *holding)
{
    for (guint i = 0; i < holding->apps->len; i++) {
        const App *app = holding->apps->pdata[i];

        if (app->state == NOVACRON_QUIESCE_APP_STATE_FAILED)
            return TRUE;
    }
    return FALSE;
}
