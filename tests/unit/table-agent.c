/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The real table. What its handlers do to the system is the test's to fake. */
#include "table-agent.h"

#include <check.h>
#include <glib/gstdio.h>
#include <string.h>

#include "core/session.h"
#include "gen/commands.h"

#define PATIENCE_SECONDS 20
#define MARK "{\"execute\": \"guest-sync\", \"arguments\": {\"id\": 7070}}"
#define MARKED "{\"return\": 7070}\n"

static const GaPlaces places = { .config_file = "", .pid_file = "", .state_directory = "" };
static const GaProgram program = { "0", "0", "", &places, &ga_command_table };

TableAgent *
table_agent_new(void)
{
    TableAgent *table = g_new0(TableAgent, 1);

    table->folder = g_dir_make_tmp("ga-table-XXXXXX", NULL);
    table->config = ga_config_new(&program);
    table->config->data_directory = g_build_filename(table->folder, "data", NULL);
    GaPersist *persist = ga_persist_new(table->folder, NULL);
    ck_assert(ga_persist_load(persist, NULL));
    table->agent = ga_agent_new(&ga_command_table, ga_gate_new(&ga_command_table, NULL, NULL, NULL),
                                persist, NULL, table->config);
    table->endpoint.path = (char *)&table->channel;
    ck_assert(ga_session_open(
        ga_session_new(table->agent, GA_SESSION_VITAL, &table->endpoint, memory_channel_open),
        NULL));
    return table;
}

void
table_agent_free(TableAgent *table)
{
    g_autofree char *state = g_build_filename(table->folder, "qga.state", NULL);

    ga_agent_free(table->agent);
    ga_config_free(table->config);
    g_unlink(state);
    g_rmdir(table->folder);
    g_free(table->folder);
    g_free(table);
}

static gboolean
lose_patience(G_GNUC_UNUSED gpointer user_data)
{
    ck_abort_msg("no answer in %d seconds", PATIENCE_SECONDS);
    return G_SOURCE_REMOVE;
}

void
table_agent_send(TableAgent *table, const char *request)
{
    ck_assert_uint_eq(memory_send(table->channel, request, strlen(request)), strlen(request));
    while (g_main_context_iteration(NULL, FALSE))
        ;
}

const char *
table_agent_received(const TableAgent *table)
{
    return table->channel->output->str;
}

char *
table_agent_ask(TableAgent *table, const char *request)
{
    guint timeout = g_timeout_add_seconds(PATIENCE_SECONDS, lose_patience, NULL);
    GString *output = table->channel->output;

    g_string_truncate(output, 0);
    table_agent_send(table, request);
    table_agent_send(table, MARK);
    while (!g_str_has_suffix(output->str, MARKED))
        g_main_context_iteration(NULL, TRUE);
    g_source_remove(timeout);
    return g_strndup(output->str, output->len - strlen(MARKED));
}
