/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a client finds its place in the stream of answers. Only a success of the
 * delimited variant is marked: its errors look like anybody's.
 */
#include "core/account.h"
#include "core/agent.h"
#include "gen/guest-agent-commands.h"

void
guest_sync_delimited(GaCall *call, const GuestSyncDelimitedArgs *args)
{
    ga_call_delimit(call);
    guest_sync_delimited_return(call, args->id);
}

gboolean
guest_sync(G_GNUC_UNUSED GaAgent *agent, const GuestSyncArgs *args, gint64 *ret_value,
           G_GNUC_UNUSED GError **error)
{
    *ret_value = args->id;
    return TRUE;
}

gboolean
guest_ping(GaAgent *agent, G_GNUC_UNUSED GError **error)
{
    ga_account(ga_agent_account(agent), "guest-ping", "guest-ping called");
    return TRUE;
}
