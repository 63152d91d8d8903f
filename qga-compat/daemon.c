/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The running agent as a process: what the system tells it, and its log and the file
 * with its process id, which cannot be written while file systems are frozen. An agent
 * that starts frozen has neither until the thaw.
 */
#include "daemon.h"

#include <stdlib.h>

#include "commands/freeze.h"
#include "core/starts.h"
#include "gen/commands.h"

static void
stop(gpointer owner)
{
    GaDaemon *daemon = owner;

    if (ga_gate_is_frozen(ga_agent_gate(daemon->agent)) && !ga_freeze_is_guarded(daemon->agent))
        return; /* nobody else would thaw */
    g_debug("received signal num %d, quitting", daemon->stop_reason);
    ga_agent_stop(daemon->agent,
                  ga_session_was_open(daemon->session) ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* Half a freeze is not left: applications would stay held. */
static void
on_stop(gpointer owner, gint reason)
{
    GaDaemon *daemon = owner;

    daemon->stop_reason = reason;
    if (!ga_freeze_wait(daemon->agent, stop, daemon))
        stop(daemon);
}

static void
on_toggle_verbose(gpointer owner)
{
    GaDaemon *daemon = owner;
    gboolean is_verbose = !ga_agent_is_verbose(daemon->agent);

    ga_agent_set_verbose(daemon->agent, is_verbose);
    ga_log_set_verbose(daemon->log, is_verbose);
}

static const OsServiceEvents service_events = { on_stop, on_toggle_verbose };

/* What cannot be opened after a thaw is done without. */
static void
warn_unless(gboolean is_done, const GError *error)
{
    if (!is_done)
        g_warning("%s", error->message);
}

static void
open_log(GaDaemon *daemon)
{
    g_autoptr(GError) error = NULL;

    warn_unless(ga_log_open(daemon->log, daemon->config->log_file, &error), error);
}

static void
open_pid_file(GaDaemon *daemon)
{
    g_autoptr(GError) error = NULL;

    if (daemon->config->daemonize)
        daemon->pid_file = os_pid_file_open(daemon->config->pid_file, &error);
    warn_unless(!error, error);
}

static void
on_frozen_changed(gpointer owner, gboolean is_frozen)
{
    GaDaemon *daemon = owner;

    ga_log_set_muted(daemon->log, is_frozen);
    if (is_frozen)
        return;
    if (daemon->is_waiting)
        open_log(daemon);
    g_warning("logging re-enabled due to filesystem unfreeze");
    if (daemon->is_waiting)
        open_pid_file(daemon);
    daemon->is_waiting = FALSE;
}

static void
leave(const GaDaemon *daemon)
{
    os_pid_file_close(daemon->pid_file);
    if (ga_command_table.n_areas > 0)
        ga_starts_end(daemon->config->state_directory);
}

/* Frozen, the file with the process id must stay: its file system may be. */
gint
ga_daemon_run(GaDaemon *daemon)
{
    ga_agent_watch_frozen(daemon->agent, on_frozen_changed, daemon);
    os_service_watch(&service_events, daemon);
    os_service_watchdog();
    ga_freeze_resume(daemon->agent);

    gint status = ga_agent_run(daemon->agent);
    if (ga_gate_is_frozen(ga_agent_gate(daemon->agent)))
        os_pid_file_leave(daemon->pid_file);
    else
        leave(daemon);
    return status;
}
