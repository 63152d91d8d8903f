/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every process ends in the next turn of the loop. */
#include "fake-process.h"

#include <check.h>
#include <errno.h>
#include <signal.h>

struct OsProcess {
    const OsProcessEvents *events;
    gpointer owner;
    gint result;
    guint idle;
};

static FakeProgram program;
static GString *calls;

void
fake_process_set(FakeProgram new_program)
{
    program = new_program;
    if (!calls)
        calls = g_string_new(NULL);
    g_string_truncate(calls, 0);
}

const char *
fake_process_calls(void)
{
    return calls->str;
}

GQuark
os_process_error_quark(void)
{
    return g_quark_from_static_string("os-process-error");
}

static gboolean
end(gpointer user_data)
{
    OsProcess *process = user_data;
    gboolean is_killed = process->result == FAKE_PROCESS_KILLED;

    process->idle = 0;
    process->events->ended(process->owner,
                           (OsProcessStatus){ is_killed, is_killed ? SIGTERM : process->result });
    return G_SOURCE_REMOVE;
}

OsProcess *
os_process_start(const OsProcessSpec *spec, const OsProcessEvents *events, gpointer owner,
                 GError **error)
{
    g_autofree char *line = g_strjoinv(" ", (char **)(gsize)spec->argv);

    g_string_append_printf(calls, "%s%s%s\n", line, spec->input ? "< " : "",
                           spec->input ? (const char *)spec->input : "");
    gint result = program(line);
    if (result == FAKE_PROCESS_MISSING) {
        g_set_error(error, os_process_error_quark(), ENOENT, "%s is missing", spec->argv[0]);
        return NULL;
    }

    OsProcess *process = g_new0(OsProcess, 1);
    *process = (OsProcess){ events, owner, result, 0 };
    process->idle = g_idle_add(end, process);
    return process;
}

gint64
os_process_pid(G_GNUC_UNUSED const OsProcess *process)
{
    return 1;
}

gsize
os_process_pending_input(G_GNUC_UNUSED const OsProcess *process)
{
    return 0;
}

gboolean
os_process_has_left_input(G_GNUC_UNUSED const OsProcess *process)
{
    return FALSE;
}

void
os_process_kill(G_GNUC_UNUSED OsProcess *process)
{
    ck_abort();
}

void
os_process_free(OsProcess *process)
{
    if (!process)
        return;
    if (process->idle)
        g_source_remove(process->idle);
    g_free(process);
}
