/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Agents answer alike whether a command is blocked for good or only while file
 * systems are frozen, and say little about commands they do not have.
 */
#include "novacronctl/refusal.h"

#include <stdio.h>
#include <unistd.h>

#define OURS "novacron-"

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

static char *
reason_of(const GPtrArray *areas, const char *name)
{
    for (guint i = 0; i < areas->len; i++) {
        const NovacronArea *area = areas->pdata[i];
        for (guint n = 0; n < area->commands->len; n++) {
            const NovacronCommand *command = area->commands->pdata[n];
            if (!g_str_equal(command->name, name) || !command->has_reason)
                continue;
            if (command->reason == NOVACRON_ABSENCE_POLICY)
                return g_strdup_printf("In the guest's /etc/qemu/qemu-ga.conf, areas= in "
                                       "[novacron] does not name '%s', or block-rpcs or "
                                       "allow-rpcs forbid it.",
                                       area->name);
            return g_strdup_printf("The agent's reason: %s.",
                                   novacron_absence_type.values[command->reason]);
        }
    }
    return NULL;
}

/* The agent itself knows best. */
static char *
explain_ours(QgaClient *client, const char *command)
{
    static const QapiType type = { .kind = QAPI_KIND_LIST, .element = &novacron_area_type };
    GPtrArray *areas = NULL;

    if (!qga_novacron_capabilities(client, &areas, NULL))
        return NULL;
    char *reason = reason_of(areas, command);
    qapi_free(&type, areas);
    return reason;
}

char *
refusal_reason(QgaClient *client, const char *command)
{
    g_autoptr(GuestAgentInfo) info = NULL;

    if (!qga_guest_info(client, &info, NULL))
        return NULL;

    const GuestAgentCommandInfo *known = find_command(info, command);
    if (!known && g_str_has_prefix(command, OURS))
        return g_strdup_printf("The guest's agent (version %s) does not have this command:\n"
                               "it is of the NovaCron guest agent.",
                               info->version);
    if (!known)
        return g_strdup_printf("The guest's agent (version %s) does not have this command.",
                               info->version);
    if (is_frozen(client))
        return g_strdup("The guest's file systems are frozen; until they are thawed "
                        "(guest-fsfreeze-thaw) the agent does nothing else.");
    if (g_str_has_prefix(command, OURS))
        return explain_ours(client, command);
    return g_strdup("The guest's administrator has blocked it: see block-rpcs and allow-rpcs in "
                    "the guest's /etc/qemu/qemu-ga.conf and -b and -a of the agent's unit.");
}

void
refusal_tell_loss(const Subcommand *subcommand, const char *command, const char *loss)
{
    if (!isatty(STDERR_FILENO) || subcommand->options->quiet)
        return;
    g_autofree char *reason = refusal_reason(subcommand->client, command);
    fprintf(stderr, "novacronctl: %s\n%s\n", loss, reason ? reason : "");
}
