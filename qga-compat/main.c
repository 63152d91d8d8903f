/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the command line to a running agent. The order of the steps is upstream's:
 * each can fail, and what the earlier ones left behind shows.
 */
#include <stdio.h>
#include <stdlib.h>

#include "build-config.h"
#include "core/starts.h"
#include "daemon.h"
#include "gen/commands.h"
#include "platform/channel.h"
#include "platform/paths.h"

static const GaProgram program = { NOVACRON_VERSION, QEMU_GA_VERSION, NOVACRON_URL, &os_places,
                                   &ga_command_table };

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

static gboolean
is_area(const char *name)
{
    for (guint i = 0; i < ga_command_table.n_areas; i++)
        if (g_str_equal(ga_command_table.areas[i].name, name))
            return TRUE;
    return FALSE;
}

/* A typing mistake would go unnoticed until a command is refused. Without -v no warning is shown,
 * so it is more than that. */
static void
check_areas(char **areas)
{
    for (char **name = areas; name && *name; name++)
        if (!is_area(*name))
            g_critical("areas: there is no area '%s' in this build", *name);
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

    check_areas(config->areas);
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

    GaDaemon daemon = { config, log, agent, session, pid_file, is_frozen };
    return ga_daemon_run(&daemon);
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
