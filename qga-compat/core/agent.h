/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one long-lived object: it owns the sessions and what they share, that is
 * the command table, the gate, the persistent state, the accounting and the
 * slots of the command families.
 */
#pragma once

#include "core/account.h"
#include "core/command.h"
#include "core/config.h"
#include "core/gate.h"
#include "core/persist.h"
#include "core/slot.h"

typedef struct GaSession GaSession;

/* Takes ownership of gate, persist and account; the table lives for ever, the configuration longer
 * than the agent (NULL in tests: for commands that do not ask for it). */
GaAgent *ga_agent_new(const GaCommandTable *table, GaGate *gate, GaPersist *persist,
                      GaAccount *account, const GaConfig *config);
void ga_agent_free(GaAgent *agent);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GaAgent, ga_agent_free)

/* Run the main loop until ga_agent_stop(), which may come first; returns its status. */
gint ga_agent_run(GaAgent *agent);
void ga_agent_stop(GaAgent *agent, gint status);

/* From ga_session_new(): the agent frees the session. */
void ga_agent_add_session(GaAgent *agent, GaSession *session);

/* Whether debug messages go anywhere: asked before one is made for every request. */
void ga_agent_set_verbose(GaAgent *agent, gboolean is_verbose);
gboolean ga_agent_is_verbose(const GaAgent *agent);

/* Nanoseconds since 1970 by the guest's clock. */
gint64 ga_agent_started(const GaAgent *agent);

const GaCommandTable *ga_agent_table(const GaAgent *agent);
GaGate *ga_agent_gate(const GaAgent *agent);
GaPersist *ga_agent_persist(const GaAgent *agent);
GaAccount *ga_agent_account(const GaAgent *agent);
const GaConfig *ga_agent_config(const GaAgent *agent);

/* Told when file systems are about to be frozen or were thawed: the log must not write between. */
typedef void (*GaFrozenChanged)(gpointer owner, gboolean is_frozen);
void ga_agent_watch_frozen(GaAgent *agent, GaFrozenChanged changed, gpointer owner);

/* Enter the frozen state: its mark, what may run, no log and no accounting. */
void ga_agent_freeze(GaAgent *agent);

/* Leave it; `has_expired`: without a client that asked for it, so that the next one is told. */
void ga_agent_thaw(GaAgent *agent, gboolean has_expired);

/* The state of a command family, opened at first use. Never NULL. */
gpointer ga_agent_slot(GaAgent *agent, const GaSlot *slot);
