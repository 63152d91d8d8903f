/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Subcommands that ask one thing and show the answer. */
#include <stdlib.h>
#include <string.h>

#include "novacronctl/output.h"
#include "novacronctl/subcommand.h"
#include "novacronctl/table.h"

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

/* Why an area, or a command of it, is off; NULL if all of it is on. */
static const char *
area_state(const NovacronArea *area)
{
    if (!area->available)
        return area->has_reason ? novacron_absence_type.values[area->reason] : "missing";
    for (guint i = 0; i < area->commands->len; i++) {
        const NovacronCommand *command = area->commands->pdata[i];
        if (!command->enabled)
            return command->has_reason ? novacron_absence_type.values[command->reason] : "off";
    }
    return NULL;
}

static guint
count_enabled(const NovacronArea *area)
{
    guint count = 0;

    for (guint i = 0; i < area->commands->len; i++)
        count += ((const NovacronCommand *)area->commands->pdata[i])->enabled ? 1 : 0;
    return count;
}

static const char *
advise(const NovacronArea *area)
{
    const char *state = area_state(area);

    if (area->details || !state)
        return area->details;
    return g_str_equal(state, "policy") ? "see areas and block-rpcs in qemu-ga.conf" : NULL;
}

static gboolean
print_areas(const Subcommand *subcommand, const GPtrArray *areas, GError **error)
{
    static const char *const headings[] = { "AREA", "COMMANDS", "STATE", "DETAILS" };
    g_autoptr(Table)
        table = table_new(headings, G_N_ELEMENTS(headings), subcommand->options->columns, error);

    if (!table)
        return FALSE;
    for (guint i = 0; i < areas->len; i++) {
        const NovacronArea *area = areas->pdata[i];
        const char *state = area_state(area);

        table_add(table, area->name);
        table_take(table, g_strdup_printf("%u of %u", count_enabled(area), area->commands->len));
        table_add(table, state ? state : "on");
        table_add(table, advise(area));
    }
    table_print(table);
    return TRUE;
}

static const QapiType areas_type = {
    .name = "areas",
    .kind = QAPI_KIND_LIST,
    .element = &novacron_area_type,
};

/* What the agent has beside qemu-ga's commands. */
int
ask_areas(const Subcommand *subcommand, GError **error)
{
    GPtrArray *areas = NULL;

    if (!qga_novacron_capabilities(subcommand->client, &areas, error))
        return -1;
    gboolean is_printed = TRUE;
    if (subcommand->options->as_json)
        output_result(&areas_type, &areas);
    else
        is_printed = print_areas(subcommand, areas, error);
    qapi_free(&areas_type, areas);
    return is_printed ? EXIT_SUCCESS : -1;
}

static const char *
list_areas(const GPtrArray *areas, gboolean on, GString *text)
{
    for (guint i = 0; areas && i < areas->len; i++) {
        const NovacronArea *area = areas->pdata[i];
        const char *state = area_state(area);
        if ((state == NULL) != on)
            continue;
        g_string_append_printf(text, "%s%s", text->len > 0 ? ", " : "", area->name);
        if (state)
            g_string_append_printf(text, " (%s)", state);
    }
    return text->len > 0 ? text->str : NULL;
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
    g_autoptr(NovacronInfo) ours = NULL;
    g_autoptr(GString) on = g_string_new(NULL);
    g_autoptr(GString) off = g_string_new(NULL);
    GPtrArray *areas = NULL;
    gboolean is_plain = !qga_novacron_info(subcommand->client, &ours, NULL);
    gboolean knows_areas = !is_plain && qga_novacron_capabilities(subcommand->client, &areas, NULL);
    const OutputPair pairs[] = {
        { "Agent version", info->version },
        { "Kind", is_plain ? "qemu-ga" : "NovaCron" },
        { "NovaCron version", ours ? ours->version : NULL },
        { "Session", ours ? ours->session->method : NULL },
        { "Areas", list_areas(areas, TRUE, on) },
        { "Areas off", list_areas(areas, FALSE, off) },
        { "Commands", count },
        { "Blocked", blocked ? blocked : "none" },
    };
    output_pairs(pairs, G_N_ELEMENTS(pairs));
    if (knows_areas)
        qapi_free(&areas_type, areas);
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

    g_autoptr(Table)
        table = table_new(headings, G_N_ELEMENTS(headings), subcommand->options->columns, error);
    if (!table)
        return -1;
    for (guint i = 0; i < info->supported_commands->len; i++) {
        const GuestAgentCommandInfo *command = info->supported_commands->pdata[i];
        table_add(table, command->name);
        table_add(table, command->enabled ? "enabled" : "blocked");
        table_add(table, command->success_response ? "always" : "errors only");
    }
    table_print(table);
    return EXIT_SUCCESS;
}
