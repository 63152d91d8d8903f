/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * May this command run now? The administrator's lists and the frozen flag, as a
 * pure predicate.
 */
#pragma once

#include "core/command.h"

typedef struct GaGate GaGate;

/* Lists of names, NULL-terminated; NULL or empty: no such list. With an allow list only the
 * commands that it names are enabled; the block list wins over it. An extension that changes the
 * guest is enabled only if its area (novacron-AREA-...) is among `areas`, and any of them only
 * where the lists enable its powers too: an agent that takes qemu-ga's place does not widen what a
 * host may do. Unknown names are ignored. */
GaGate *ga_gate_new(const GaCommandTable *table, const char *const *allow, const char *const *block,
                    const char *const *areas);
void ga_gate_free(GaGate *gate);

/* While frozen, exactly the commands with GA_COMMAND_WHILE_FROZEN run. Upstream's do so listed or
 * not, as upstream has it: only they can end the freeze. */
void ga_gate_set_frozen(GaGate *gate, gboolean is_frozen);
gboolean ga_gate_is_frozen(const GaGate *gate);

/* In safe mode no extension runs but those that only tell what the agent is (area `info`). For
 * good. */
void ga_gate_set_safe(GaGate *gate);
gboolean ga_gate_is_safe(const GaGate *gate);

gboolean ga_gate_allows(const GaGate *gate, const GaCommand *command);

/* The same as if nothing were frozen. */
gboolean ga_gate_lists(const GaGate *gate, const GaCommand *command);
