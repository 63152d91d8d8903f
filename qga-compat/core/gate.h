/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * May this command run now? The administrator's lists and the frozen flag, as a
 * pure predicate.
 */
#pragma once

#include "core/command.h"

typedef struct GaGate GaGate;

/* Lists of command names, NULL-terminated; NULL or empty: no such list. With an allow list only
 * what it names is enabled; the block list wins over it. Unknown names are ignored. */
GaGate *ga_gate_new(const GaCommandTable *table, const char *const *allow,
                    const char *const *block);
void ga_gate_free(GaGate *gate);

/* While frozen, exactly the commands with GA_COMMAND_WHILE_FROZEN run, listed or not: only they
 * can end the freeze. */
void ga_gate_set_frozen(GaGate *gate, gboolean is_frozen);
gboolean ga_gate_is_frozen(const GaGate *gate);

gboolean ga_gate_allows(const GaGate *gate, const GaCommand *command);
