/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting a program looks up a user and waits for the exec, so that is done on a thread; from then
 * on everything happens in the main loop.
 */
#include <string.h>
#include <unistd.h>

#include "core/bounds.h"
#include "core/refusal.h"
#include "core/task.h"
#include "extensions/exec/exec-private.h"
#include "extensions/exec/limits.h"
#include "gen/exec-commands.h"

/* From the request to the running program. */
typedef struct {
    Execs *execs;
    GaCall *call; /* gone when execs->is_closed */
    OsChildSpec *spec;
    Exec *exec; /* not in the list yet */
    gboolean holds;
    guint timeout_ms;
    OsChild child;
    GError *error;
} Start;

static void
start_free(Start *start)
{
    os_child_spec_free(start->spec);
    if (start->exec)
        exec_free(start->exec);
    g_free(start);
}

/* The agent has gone meanwhile, and with it who wanted the program. */
static void
abandon(const Start *start)
{
    const OsChild *child = &start->child;

    if (start->error) {
        g_error_free(start->error);
        return;
    }
    start->exec->seen->pid = child->pid;
    exec_kill_all(start->exec);
    close(child->out);
    if (child->in >= 0)
        close(child->in);
    if (child->err >= 0)
        close(child->err);
}

static void
on_started(gpointer data)
{
    Start *start = data;
    Execs *execs = start->execs;

    g_ptr_array_remove_fast(execs->starting, start);
    if (execs->is_closed) {
        abandon(start);
        execs_free_if_unused(execs);
    } else if (start->error) {
        execs->room -= start->exec->room;
        ga_call_fail(start->call, start->error);
    } else {
        exec_take_child(start->exec, &start->child, start->holds, start->timeout_ms);
        exec_emit(start->exec, GA_EVENT_EXEC_STARTED);
        g_autoptr(NovacronExec) description = exec_describe(start->exec);
        g_ptr_array_add(execs->all, g_steal_pointer(&start->exec));
        novacron_exec_start_return(start->call, description);
    }
    start_free(start);
}

static void
start_child(gpointer data)
{
    Start *start = data;

    if (!os_child_start(start->spec, &start->child, &start->error))
        g_assert(start->error);
}

static char **
strings_of(const GPtrArray *list)
{
    char **strings = g_new0(char *, list->len + 1);

    for (guint i = 0; i < list->len; i++)
        strings[i] = g_strdup(list->pdata[i]);
    return strings;
}

static OsChildSpec *
spec_of(const NovacronExecStartArgs *args, const char *limits_folder)
{
    OsChildSpec *spec = g_new0(OsChildSpec, 1);

    spec->argv = strings_of(args->argv);
    spec->environment = args->environment ? strings_of(args->environment) : NULL;
    spec->directory = g_strdup(args->directory);
    spec->user = g_strdup(args->user);
    spec->group = g_strdup(args->group);
    spec->control_file = exec_limits_file(limits_folder);
    spec->has_input = args->has_input && args->input;
    spec->has_terminal = args->terminal != NULL;
    if (args->terminal) {
        spec->columns = args->terminal->columns;
        spec->rows = args->terminal->rows;
    }
    return spec;
}

static Exec *
find_request(const Execs *execs, const char *request_id)
{
    for (guint i = 0; request_id && i < execs->all->len; i++) {
        Exec *exec = execs->all->pdata[i];

        if (g_strcmp0(exec->request_id, request_id) == 0)
            return exec;
    }
    return NULL;
}

static gboolean
is_starting(const Execs *execs, const char *request_id)
{
    for (guint i = 0; request_id && i < execs->starting->len; i++)
        if (g_strcmp0(((const Start *)execs->starting->pdata[i])->exec->request_id, request_id) ==
            0)
            return TRUE;
    return FALSE;
}

static gboolean
may_start(const Execs *execs, const NovacronExecStartArgs *args, GError **error)
{
    if (args->argv->len == 0 || !*(const char *)args->argv->pdata[0])
        ga_refuse(error, GA_REFUSAL_BAD_VALUE, "no program is named");
    else if (args->request_id && strlen(args->request_id) > GA_REQUEST_ID_MAX)
        ga_refuse(error, GA_REFUSAL_BAD_VALUE, "a request-id has at most %d bytes",
                  GA_REQUEST_ID_MAX);
    else if (is_starting(execs, args->request_id))
        ga_refuse(error, GA_REFUSAL_BUSY, "request %s is being carried out", args->request_id);
    else
        return TRUE;
    return FALSE;
}

void
execs_start(Execs *execs, GaCall *call, const NovacronExecStartArgs *args)
{
    const Exec *known = find_request(execs, args->request_id);
    GError *error = NULL;

    if (known) {
        g_autoptr(NovacronExec) description = exec_describe(known);
        novacron_exec_start_return(call, description);
        return;
    }

    if (args->limits && execs->starting->len == 0)
        exec_limits_sweep();
    Exec *exec = exec_new(execs, args);
    if (!may_start(execs, args, &error) || !execs_find_room(execs, exec->room, &error) ||
        (args->limits &&
         !(exec->limits_folder = exec_limits_make(args->limits, exec->seen->id, &error)))) {
        exec_free(exec);
        ga_call_fail(call, error);
        return;
    }

    Start *start = g_new0(Start, 1);
    *start = (Start){ .execs = execs,
                      .call = call,
                      .spec = spec_of(args, exec->limits_folder),
                      .exec = exec,
                      .holds = args->has_overflow && args->overflow == NOVACRON_EXEC_OVERFLOW_HOLD,
                      .timeout_ms = args->has_timeout_ms ? args->timeout_ms : 0 };
    g_ptr_array_add(execs->starting, start);
    execs->room += exec->room;
    ga_task_run(start_child, on_started, start);
}
