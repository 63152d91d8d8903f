/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The gate. The lists become one flag per row when the agent starts, so that
 * asking is an array access, and a freeze changes a single boolean: while file
 * systems are frozen nothing here allocates or can fail.
 */
#include "core/gate.h"

struct GaGate {
    const GaCommandTable *table;
    gboolean is_frozen;
    gboolean *is_listed; /* by row: enabled as far as the lists go */
};

GaGate *
ga_gate_new(const GaCommandTable *table, const char *const *allow, const char *const *block)
{
    GaGate *gate = g_new0(GaGate, 1);
    gboolean has_allow = allow && allow[0];

    gate->table = table;
    gate->is_listed = g_new(gboolean, table->n_rows);
    for (guint i = 0; i < table->n_rows; i++) {
        const char *name = table->rows[i].name;

        gate->is_listed[i] = (!has_allow || g_strv_contains(allow, name)) &&
                             !(block && g_strv_contains(block, name));
    }
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
ga_gate_allows(const GaGate *gate, const GaCommand *command)
{
    if (gate->is_frozen)
        return (command->flags & GA_COMMAND_WHILE_FROZEN) != 0;
    return gate->is_listed[command - gate->table->rows];
}
