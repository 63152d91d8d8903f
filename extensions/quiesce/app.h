/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One server that a worker of its own makes ready for a freeze, holds, and lets go: three steps on
 * threads, of which the main thread hears the outcome.
 */
#pragma once

#include "extensions/quiesce/endpoint.h"
#include "extensions/quiesce/hooks.h"
#include "extensions/quiesce/servers.h"
#include "extensions/worker/worker.h"
#include "gen/quiesce.h"

typedef struct {
    Server *server;
    Endpoint endpoint;
    gboolean has_read_lock; /* it is held by a lock for tables without transactions, too */
    GaWorker *worker;       /* NULL: it is not needed any more */
    NovacronQuiesceAppState state;
    char *version, *detail, *position; /* NULL: not known */
    char *error;                       /* the first one; NULL: none */
} App;

/* For a thread: `server` (transfer full) where a worker in `directory` can make it ready; else NULL
 * and why not. */
App *app_new(Server *server, const Hooks *hooks, const char *proc, const char *directory,
             NovacronQuiesceReason *ret_reason);
void app_free(App *app);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(App, app_free)

/* What a step is to keep to, and what it brings: nothing of the app is changed on the thread. */
typedef struct {
    guint limit_ms; /* of the step */
    guint held_ms;  /* then a hold ends by itself */
    char *version, *detail, *position;
} AppStep;

void app_step_clear(AppStep *step);

gboolean app_prepare(const App *app, AppStep *step, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean app_hold(const App *app, AppStep *step, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean app_release(const App *app, AppStep *step, GError **error) G_GNUC_WARN_UNUSED_RESULT;

NovacronQuiesceHeldApp *app_describe(const App *app);
