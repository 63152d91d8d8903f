/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the command line to a running agent. The order of the steps is upstream's:
 * each can fail, and what the earlier ones left behind shows.
 */
#include <stdio.h>
#include <stdlib.h>

#include "build-config.h"
#include "commands/freeze.h"
#include "core/config.h"
#include "core/log.h"
#include "core/session.h"
#include "core/starts.h"
#include "gen/commands.h"
#include "platform/channel.h"
#include "platform/paths.h"
#include "platform/service.h"

static const GaProgram program = { NOVACRON_VERSION, QEMU_GA_VERSION, NOVACRON_URL, &os_places,
                                   &ga_command_table };

typedef struct {
    const GaConfig *config;
    GaLog *log;
    GaAgent *agent;
    GaSession *session;  /* upstream's channel */
    OsPidFile *pid_file; /* NULL: none, or not yet */
    gboolean is_waiting; /* log and pid file, for the thaw of what was frozen at the start */
    gint stop_reason;
} Daemon;

static void
stop(gpointer owner)
{
    Daemon *daemon = owner;

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
    Daemon *daemon = owner;

    daemon->stop_reason = reason;
    if (!ga_freeze_wait(daemon->agent, stop, daemon))
        stop(daemon);
}

static void
on_toggle_verbose(gpointer owner)
{
    Daemon *daemon = owner;
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
open_log(Daemon *daemon)
{
    g_autoptr(GError) error = NULL;

    warn_unless(ga_log_open(daemon->log, daemon->config->log_file, &error), error);
}

static void
open_pid_file(Daemon *daemon)
{
    g_autoptr(GError) error = NULL;

    if (daemon->config->daemonize)
        daemon->pid_file = os_pid_file_open(daemon->config->pid_file, &error);
    warn_unless(!error, error);
}

static void
on_frozen_changed(gpointer owner, gboolean is_frozen)
{
    Daemon *daemon = owner;

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

static gint
fail(const GError *error)
{
    ga_log_chain(error->message);
    g_critical("error initializing guest agent");
    return EXIT_FAILURE;
}

/* Only extensions are given up, so that without them nothing is to be known. */
static gboolean
is_unstable(const GaConfig *config, gboolean is_frozen)
{
    return ga_command_table.n_areas > 0 && !is_frozen &&
           ga_starts_begin(config->state_directory, g_get_real_time() / G_USEC_PER_SEC) >=
               GA_STARTS_CRASHES;
}

static GaAgent *
new_agent(const GaConfig *config, GaPersist *persist)
{
    gboolean is_frozen = ga_persist_is_frozen(persist);
    GaGate *gate = ga_gate_new(&ga_command_table, (const char *const *)config->allow_rpcs,
                               (const char *const *)config->block_rpcs,
                               (const char *const *)config->areas);
    GaAccount *account = ga_account_new(&os_syslog_functions, os_syslog_new());
    GaAgent *agent = ga_agent_new(&ga_command_table, gate, persist, account, config);

    ga_gate_set_frozen(gate, is_frozen);
    if (is_unstable(config, is_frozen)) {
        g_warning("the agent has crashed %u times in a row: no extensions", GA_STARTS_CRASHES);
        ga_gate_set_safe(gate);
    }
    ga_account_set_muted(account, is_frozen);
    ga_agent_set_verbose(agent, config->verbose);
    return agent;
}

/* Returns upstream's. */
static GaSession *
open_sessions(GaAgent *agent, const GaConfig *config, GError **error)
{
    GaSessionRole role = config->retry_path ? GA_SESSION_RETRY : GA_SESSION_VITAL;
    GaSession *session = ga_session_new(agent, role, &config->channel, os_channel_open);

    if (!ga_session_open(session, error))
        return NULL;
    for (guint i = 0; i < config->sessions->len; i++) {
        const GaEndpoint *endpoint = g_ptr_array_index(config->sessions, i);
        GaSession *extra = ga_session_new(agent, GA_SESSION_EXTRA, endpoint, os_channel_open);
        if (!ga_session_open(extra, error))
            return NULL;
    }
    return session;
}

static void
leave(const Daemon *daemon)
{
    os_pid_file_close(daemon->pid_file);
    if (ga_command_table.n_areas > 0)
        ga_starts_end(daemon->config->state_directory);
}

/* Until the end. Frozen, the file with the process id must stay: its file system may be. */
static gint
serve(Daemon *daemon)
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

/* Frozen, nothing can be written: the log and the file with the process id wait for the thaw. */
static gint
run(const GaConfig *config)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GaPersist) persist = ga_persist_new(config->state_directory, &error);

    if (!persist)
        g_critical("%s", error->message); /* the log is next, and upstream's line is before it */

    gboolean is_frozen = persist && ga_persist_is_frozen(persist);
    g_autoptr(GaLog) log = ga_log_new(config->verbose);
    g_debug("Guest agent version " QEMU_GA_VERSION " (NovaCron " NOVACRON_VERSION ") started");
    if (!persist)
        return EXIT_FAILURE;
    ga_log_set_muted(log, is_frozen);
    if (!is_frozen && !ga_log_open(log, config->log_file, &error))
        return fail(error);
    if (!ga_persist_load(persist, &error))
        return fail(error);

    g_autoptr(GaAgent) agent = new_agent(config, g_steal_pointer(&persist));
    GaSession *session = open_sessions(agent, config, &error);
    if (!session)
        return fail(error);

    OsPidFile *pid_file = NULL;
    if (config->daemonize &&
        !os_service_daemonize(is_frozen ? NULL : config->pid_file, &pid_file, &error)) {
        g_critical("%s", error->message);
        return EXIT_FAILURE;
    }

    Daemon daemon = { config, log, agent, session, pid_file, is_frozen };
    return serve(&daemon);
}

static gboolean
configure(GaConfig *config, int argc, char **argv, GError **error)
{
    if (!ga_config_load(config, argc, argv, error))
        return FALSE;
    return config->action == GA_CONFIG_LEAVE || (os_service_activation(&config->channel, error) &&
                                                 ga_config_settle_channel(config, error));
}

int
main(int argc, char **argv)
{
    g_autoptr(GaConfig) config = ga_config_new(&program);
    g_autoptr(GError) error = NULL;

    os_service_prepare();
    if (!configure(config, argc, argv, &error)) {
        g_critical("%s", error->message);
        return EXIT_FAILURE;
    }
    if (config->action == GA_CONFIG_LEAVE) {
        fputs(config->text, stdout);
        return config->status;
    }
    return run(config);
}
