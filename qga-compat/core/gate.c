/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The gate. The lists become one flag per row when the agent starts, so that
 * asking is an array access, and a freeze changes a single boolean: while file
 * systems are frozen nothing here allocates or can fail.
 */
#include "core/gate.h"

#include <string.h>

struct GaGate {
    const GaCommandTable *table;
    gboolean is_frozen;
    gboolean is_safe;
    gboolean *is_listed; /* by row: enabled as far as the lists go */
};

typedef struct {
    const char *const *allow;
    const char *const *block;
    const char *const *areas;
} Lists;

static gboolean
contains(const char *const *list, const char *name)
{
    return list && g_strv_contains(list, name);
}

static gboolean
is_name_enabled(const Lists *lists, const char *name)
{
    gboolean has_allow = lists->allow && lists->allow[0];

    return (!has_allow || contains(lists->allow, name)) && !contains(lists->block, name);
}

static gboolean
is_enabled(const Lists *lists, const GaCommand *command)
{
    if (command->area && (command->flags & GA_COMMAND_CHANGES_GUEST) &&
        !contains(lists->areas, command->area->name))
        return FALSE;
    for (const char *const *power = command->powers; power && *power; power++)
        if (!is_name_enabled(lists, *power))
            return FALSE;
    return is_name_enabled(lists, command->name);
}

GaGate *
ga_gate_new(const GaCommandTable *table, const char *const *allow, const char *const *block,
            const char *const *areas)
{
    GaGate *gate = g_new0(GaGate, 1);
    Lists lists = { allow, block, areas };

    gate->table = table;
    gate->is_listed = g_new(gboolean, table->n_rows);
    for (guint i = 0; i < table->n_rows; i++)
        gate->is_listed[i] = is_enabled(&lists, &table->rows[i]);
    return gate;
}

void
ga_gate_free(GaGate *gate)
{
    if (!gate)
        return;
    g_free(gate->is_listed);
    g_free(gate);
}

void
ga_gate_set_frozen(GaGate *gate, gboolean is_frozen)
{
    gate->is_frozen = is_frozen;
}

gboolean
ga_gate_is_frozen(const GaGate *gate)
{
    return gate->is_frozen;
}

gboolean
ga_gate_lists(const GaGate *gate, const GaCommand *command)
{
    return gate->is_listed[command - gate->table->rows];
}

gboolean
ga_gate_allows(const GaGate *gate, const GaCommand *command)
{
    gboolean is_listed = ga_gate_lists(gate, command);

    if (!gate->is_frozen)
        return is_listed;
    return (command->flags & GA_COMMAND_WHILE_FROZEN) && (is_listed || !command->area);
}

void
ga_gate_set_safe(GaGate *gate)
{
    gate->is_safe = TRUE;
    for (guint i = 0; i < gate->table->n_rows; i++) {
        const GaArea *area = gate->table->rows[i].area;

        if (area && strcmp(area->name, "info") != 0)
            gate->is_listed[i] = FALSE;
    }
}

gboolean
ga_gate_is_safe(const GaGate *gate)
{
    return gate->is_safe;
}
