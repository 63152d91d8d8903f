/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * systemctl as a child. The service manager's own protocol would bring a D-Bus library into
 * the agent; what is asked here is asked seldom.
 */
#include "extensions/health/systemctl.h"

#include "platform/process.h"

/* A manager that is busy with booting answers in a moment; one that hangs does not. */
#define TIME_MS 2000

#define OUTPUT_MAX (64 * 1024)

typedef struct {
    OsProcess *process;
    GString *output;
    guint timer;
    SystemctlDone done;
    gpointer user_data;
} Run;

static void
finish(Run *run, gboolean has_answered)
{
    if (run->timer)
        g_source_remove(run->timer);
    os_process_free(run->process);
    run->done(has_answered ? run->output->str : NULL, run->user_data);
    g_string_free(run->output, TRUE);
    g_free(run);
}

static void
output(gpointer owner, G_GNUC_UNUSED OsProcessStream stream, const void *data, gsize size)
{
    GString *text = ((Run *)owner)->output;

    g_string_append_len(text, data, (gssize)MIN(size, OUTPUT_MAX - text->len));
}

/* Its status says how the system is, not whether it could answer. */
static void
ended(gpointer owner, OsProcessStatus status)
{
    const Run *run = owner;

    finish(owner, !status.is_signalled && run->output->len > 0);
}

static const OsProcessEvents events = { output, ended };

static gboolean
on_time(gpointer user_data)
{
    Run *run = user_data;

    run->timer = 0;
    os_process_kill(run->process);
    finish(run, FALSE);
    return G_SOURCE_REMOVE;
}

static gboolean
on_missing(gpointer user_data)
{
    finish(user_data, FALSE);
    return G_SOURCE_REMOVE;
}

void
systemctl_run(const char *const *arguments, SystemctlDone done, gpointer user_data)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    Run *run = g_new0(Run, 1);

    g_ptr_array_add(argv, (gpointer)(gsize) "systemctl");
    for (gsize i = 0; arguments[i]; i++)
        g_ptr_array_add(argv, (gpointer)(gsize)arguments[i]);
    g_ptr_array_add(argv, NULL);

    OsProcessSpec spec = {
        .argv = (char *const *)argv->pdata,
        .capture_out = TRUE,
        .is_detached = TRUE,
    };
    run->output = g_string_new(NULL);
    run->done = done;
    run->user_data = user_data;
    run->process = os_process_start(&spec, &events, run, NULL);
    run->timer = run->process ? g_timeout_add(TIME_MS, on_time, run) : 0;
    if (!run->process)
        g_idle_add(on_missing, run);
}
