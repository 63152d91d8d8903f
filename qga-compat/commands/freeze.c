/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest-fsfreeze-*. The state that is told is the agent's own: somebody else may
 * have frozen file systems too.
 */
#include "commands/freeze.h"

#include "commands/freezer.h"
#include "core/call.h"
#include "gen/guest-agent-commands.h"

static void
frozen(gint64 count, GError *error, gpointer user_data)
{
    if (error)
        ga_call_fail(user_data, error);
    else
        guest_fsfreeze_freeze_return(user_data, count);
}

static void
list_frozen(gint64 count, GError *error, gpointer user_data)
{
    if (error)
        ga_call_fail(user_data, error);
    else
        guest_fsfreeze_freeze_list_return(user_data, count);
}

static void
thawed(gint64 count, GError *error, gpointer user_data)
{
    if (error)
        ga_call_fail(user_data, error);
    else
        guest_fsfreeze_thaw_return(user_data, count);
}

gboolean
guest_fsfreeze_status(GaAgent *agent, GuestFsfreezeStatus *ret_value, G_GNUC_UNUSED GError **error)
{
    *ret_value = ga_gate_is_frozen(ga_agent_gate(agent)) ? GUEST_FSFREEZE_STATUS_FROZEN
                                                         : GUEST_FSFREEZE_STATUS_THAWED;
    return TRUE;
}

static void
freeze(GaCall *call, const GPtrArray *only, GaFreezerDone done)
{
    GaAgent *agent = ga_call_agent(call);
    GaFreezeRequest request = { ga_call_command(call)->name, only,
                                ga_agent_config(agent)->freeze_deadline_ms, NULL };

    ga_freezer_freeze(ga_freezer_of(agent), &request, done, call);
}

void
guest_fsfreeze_freeze(GaCall *call)
{
    freeze(call, NULL, frozen);
}

void
guest_fsfreeze_freeze_list(GaCall *call, const GuestFsfreezeFreezeListArgs *args)
{
    freeze(call, args->mountpoints, list_frozen);
}

void
guest_fsfreeze_thaw(GaCall *call)
{
    ga_freezer_thaw(ga_freezer_of(ga_call_agent(call)), ga_call_command(call)->name, thawed, call);
}

void
ga_freeze_resume(GaAgent *agent)
{
    ga_freezer_resume(ga_freezer_of(agent));
}

gboolean
ga_freeze_wait(GaAgent *agent, void (*idle)(gpointer owner), gpointer owner)
{
    return ga_freezer_wait(ga_freezer_of(agent), idle, owner);
}

gboolean
ga_freeze_is_guarded(GaAgent *agent)
{
    return ga_freezer_is_guarded(ga_freezer_of(agent));
}
