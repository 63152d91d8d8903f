/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Subcommands that ask one thing and show the answer. */
#include <stdlib.h>
#include <string.h>

#include "novacronctl/output.h"
#include "novacronctl/subcommand.h"

/* The names of blocked commands, or NULL if there are none. */
static char *
blocked_names(const GuestAgentInfo *info)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    for (guint i = 0; i < info->supported_commands->len; i++) {
        const GuestAgentCommandInfo *command = info->supported_commands->pdata[i];
        if (!command->enabled)
            g_ptr_array_add(names, command->name);
    }
    if (names->len == 0)
        return NULL;
    g_ptr_array_add(names, NULL);
    return g_strjoinv(", ", (char **)names->pdata);
}

int
ask_info(const Subcommand *subcommand, GError **error)
{
    g_autoptr(GuestAgentInfo) info = NULL;

    if (!qga_guest_info(subcommand->client, &info, error))
        return -1;
    if (subcommand->options->as_json) {
        output_result(&guest_agent_info_type, &info);
        return EXIT_SUCCESS;
    }

    g_autofree char *count = g_strdup_printf("%u", info->supported_commands->len);
    g_autofree char *blocked = blocked_names(info);
    const OutputPair pairs[] = {
        { "Agent version", info->version },
        { "Commands", count },
        { "Blocked", blocked ? blocked : "none" },
    };
    output_pairs(pairs, G_N_ELEMENTS(pairs));
    return EXIT_SUCCESS;
}

int
ask_osinfo(const Subcommand *subcommand, GError **error)
{
    g_autoptr(GuestOSInfo) os = NULL;

    if (!qga_guest_get_osinfo(subcommand->client, &os, error))
        return -1;
    if (subcommand->options->as_json) {
        output_result(&guest_os_info_type, &os);
        return EXIT_SUCCESS;
    }

    const OutputPair pairs[] = {
        { "System", os->pretty_name },
        { "Name", os->name },
        { "Version", os->version },
        { "Variant", os->variant },
        { "ID", os->id },
        { "Version ID", os->version_id },
        { "Variant ID", os->variant_id },
        { "Kernel", os->kernel_release },
        { "Kernel build", os->kernel_version },
        { "Machine", os->machine },
    };
    output_pairs(pairs, G_N_ELEMENTS(pairs));
    return EXIT_SUCCESS;
}

int
ask_ping(const Subcommand *subcommand, GError **error)
{
    gint64 start = g_get_monotonic_time();

    if (!qga_guest_ping(subcommand->client, error))
        return -1;
    gint64 microseconds = g_get_monotonic_time() - start;

    if (!subcommand->options->as_json) {
        printf("The agent answers, in %.2f ms.\n", (gdouble)microseconds / 1000);
        return EXIT_SUCCESS;
    }
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
    json_node_take_object(node, json_object_new());
    json_object_set_int_member(json_node_get_object(node), "microseconds", microseconds);
    output_json(node);
    return EXIT_SUCCESS;
}

static gint
compare_names(gconstpointer left, gconstpointer right)
{
    const GuestAgentCommandInfo *const *one = left;
    const GuestAgentCommandInfo *const *other = right;

    return strcmp((*one)->name, (*other)->name);
}

int
ask_commands(const Subcommand *subcommand, GError **error)
{
    static const QapiType list_type = {
        .name = "commands",
        .kind = QAPI_KIND_LIST,
        .element = &guest_agent_command_info_type,
    };
    static const char *const headings[] = { "COMMAND", "STATE", "ANSWERS" };
    g_autoptr(GuestAgentInfo) info = NULL;

    if (!qga_guest_info(subcommand->client, &info, error))
        return -1;
    g_ptr_array_sort(info->supported_commands, compare_names);
    if (subcommand->options->as_json) {
        output_result(&list_type, &info->supported_commands);
        return EXIT_SUCCESS;
    }

    g_autoptr(GPtrArray) cells = g_ptr_array_new();
    for (guint i = 0; i < info->supported_commands->len; i++) {
        const GuestAgentCommandInfo *command = info->supported_commands->pdata[i];
        g_ptr_array_add(cells, command->name);
        g_ptr_array_add(cells, command->enabled ? "enabled" : "blocked");
        g_ptr_array_add(cells, command->success_response ? "always" : "errors only");
    }
    output_table(headings, G_N_ELEMENTS(headings), cells);
    return EXIT_SUCCESS;
}
