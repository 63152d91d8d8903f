/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Agents answer alike whether a command is blocked for good or only while file
 * systems are frozen, and say little about commands they do not have.
 */
#include "novacronctl/refusal.h"

static const GuestAgentCommandInfo *
find_command(const GuestAgentInfo *info, const char *name)
{
    for (guint i = 0; i < info->supported_commands->len; i++) {
        const GuestAgentCommandInfo *command = info->supported_commands->pdata[i];
        if (g_str_equal(command->name, name))
            return command;
    }
    return NULL;
}

static gboolean
is_frozen(QgaClient *client)
{
    GuestFsfreezeStatus status;

    return qga_guest_fsfreeze_status(client, &status, NULL) &&
           status == GUEST_FSFREEZE_STATUS_FROZEN;
}

char *
refusal_reason(QgaClient *client, const char *command)
{
    g_autoptr(GuestAgentInfo) info = NULL;

    if (!qga_guest_info(client, &info, NULL))
        return NULL;

    const GuestAgentCommandInfo *known = find_command(info, command);
    if (!known)
        return g_strdup_printf("The guest's agent (version %s) does not have this command.",
                               info->version);
    if (is_frozen(client))
        return g_strdup("The guest's file systems are frozen; until they are thawed "
                        "(guest-fsfreeze-thaw) the agent does nothing else.");
    return g_strdup("The guest's administrator has blocked it: see block-rpcs and allow-rpcs in "
                    "the guest's /etc/qemu/qemu-ga.conf and -b and -a of the agent's unit.");
}
