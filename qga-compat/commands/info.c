/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest-info. The list is the table read backwards, as upstream's is: clients
 * show it as it comes.
 */
#include "core/agent.h"
#include "core/config.h"
#include "gen/guest-agent-commands.h"

static GuestAgentCommandInfo *
describe(const GaGate *gate, const GaCommand *command)
{
    GuestAgentCommandInfo *info = g_new0(GuestAgentCommandInfo, 1);

    info->name = g_strdup(command->name);
    info->enabled = ga_gate_allows(gate, command);
    info->success_response = !(command->flags & GA_COMMAND_SILENT_SUCCESS);
    return info;
}

GuestAgentInfo *
guest_info(GaAgent *agent, G_GNUC_UNUSED GError **error)
{
    const GaCommandTable *table = ga_agent_table(agent);
    GuestAgentInfo *info = g_new0(GuestAgentInfo, 1);

    info->version = g_strdup(ga_config_reported_version(ga_agent_config(agent)));
    info->supported_commands = g_ptr_array_sized_new(table->n_rows);
    for (guint i = table->n_rows; i > 0; i--)
        g_ptr_array_add(info->supported_commands,
                        describe(ga_agent_gate(agent), &table->rows[i - 1]));
    return info;
}
