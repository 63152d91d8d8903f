/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest-fsfreeze-*. The state that is told is the agent's own: somebody else may
 * have frozen file systems too.
 */
#include "core/agent.h"
#include "gen/guest-agent-commands.h"

gboolean
guest_fsfreeze_status(GaAgent *agent, GuestFsfreezeStatus *ret_value, G_GNUC_UNUSED GError **error)
{
    *ret_value = ga_gate_is_frozen(ga_agent_gate(agent)) ? GUEST_FSFREEZE_STATUS_FROZEN
                                                         : GUEST_FSFREEZE_STATUS_THAWED;
    return TRUE;
}
