/* SPDX-License-Identifier: GPL-2.0-or-later */
/* novacron-capabilities: the command table and the gate, told by area. */
#include "core/agent.h"
#include "core/area.h"
#include "gen/info-commands.h"

static NovacronCost
cost_of(const GaCommand *command)
{
    if (command->flags & GA_COMMAND_COST_JOB)
        return NOVACRON_COST_JOB;
    return command->flags & GA_COMMAND_COST_WORKER ? NOVACRON_COST_WORKER : NOVACRON_COST_INLINE;
}

/* Why what is not enabled is not. */
static NovacronAbsence
reason_of(const GaGate *gate)
{
    if (ga_gate_is_frozen(gate))
        return NOVACRON_ABSENCE_FROZEN;
    return ga_gate_is_safe(gate) ? NOVACRON_ABSENCE_SAFE_MODE : NOVACRON_ABSENCE_POLICY;
}

static NovacronCommand *
describe_command(const GaGate *gate, const GaCommand *command)
{
    NovacronCommand *description = g_new0(NovacronCommand, 1);

    description->name = g_strdup(command->name);
    description->enabled = ga_gate_allows(gate, command);
    description->has_reason = !description->enabled;
    description->reason = reason_of(gate);
    description->cost = cost_of(command);
    description->changes_guest = (command->flags & GA_COMMAND_CHANGES_GUEST) != 0;
    description->while_frozen = (command->flags & GA_COMMAND_WHILE_FROZEN) != 0;
    description->unstable = (command->flags & GA_COMMAND_UNSTABLE) != 0;
    description->has_reply_bound_bytes = command->reply_bound > 0;
    description->reply_bound_bytes = command->reply_bound;
    return description;
}

static const NovacronAbsence absences[] = {
    [GA_AREA_NOT_BUILT] = NOVACRON_ABSENCE_NOT_BUILT,
    [GA_AREA_KERNEL_TOO_OLD] = NOVACRON_ABSENCE_KERNEL_TOO_OLD,
    [GA_AREA_MISSING_PROGRAM] = NOVACRON_ABSENCE_MISSING_PROGRAM,
    [GA_AREA_MISSING_DEVICE] = NOVACRON_ABSENCE_MISSING_DEVICE,
    [GA_AREA_NO_PERMISSION] = NOVACRON_ABSENCE_NO_PERMISSION,
    [GA_AREA_PLATFORM] = NOVACRON_ABSENCE_PLATFORM,
};

static NovacronArea *
describe_area(GaAgent *agent, const GaArea *area)
{
    NovacronArea *description = g_new0(NovacronArea, 1);
    const GaCommandTable *table = ga_agent_table(agent);
    GaAreaReport report = { GA_AREA_AVAILABLE, NULL, NULL };

    area->probe(agent, &report);
    description->name = g_strdup(area->name);
    description->available = report.state == GA_AREA_AVAILABLE;
    description->has_reason = !description->available;
    description->reason = description->has_reason ? absences[report.state] : 0;
    description->provider = report.provider;
    description->details = report.details;
    description->commands = g_ptr_array_new();
    for (guint i = 0; i < table->n_rows; i++)
        if (table->rows[i].area == area)
            g_ptr_array_add(description->commands,
                            describe_command(ga_agent_gate(agent), &table->rows[i]));
    return description;
}

GPtrArray *
novacron_capabilities(GaAgent *agent, G_GNUC_UNUSED GError **error)
{
    const GaCommandTable *table = ga_agent_table(agent);
    GPtrArray *areas = g_ptr_array_new();

    for (guint i = 0; i < table->n_areas; i++)
        g_ptr_array_add(areas, describe_area(agent, &table->areas[i]));
    return areas;
}
