/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the guest has: file systems, network addresses, disks. */
#include <stdlib.h>

#include "novacronctl/output.h"
#include "novacronctl/subcommand.h"
#include "novacronctl/table.h"

#define PERCENT 100

typedef void (*AddRows)(Table *table, const GPtrArray *list);

/* Print `list`, which the agent has given, and free it. */
static int
print_list(const Subcommand *subcommand, const QapiType *type, GPtrArray *list,
           const char *const *headings, guint n_columns, AddRows add_rows, GError **error)
{
    g_autoptr(Table) table = NULL;

    if (subcommand->options->as_json) {
        output_result(type, &list);
        qapi_free(type, list);
        return EXIT_SUCCESS;
    }
    table = table_new(headings, n_columns, subcommand->options->columns, error);
    if (table) {
        add_rows(table, list);
        table_sort(table, 0);
        table_print(table);
    }
    qapi_free(type, list);
    return table ? EXIT_SUCCESS : -1;
}

static char *
join_disks(const GPtrArray *disks)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < disks->len; i++) {
        const GuestDiskAddress *disk = disks->pdata[i];
        const char *name = disk->dev ? disk->dev : disk->serial;
        if (name)
            g_string_append_printf(text, "%s%s", text->len > 0 ? "," : "", name);
    }
    return text->len > 0 ? g_strdup(text->str) : NULL;
}

static void
add_file_systems(Table *table, const GPtrArray *list)
{
    for (guint i = 0; i < list->len; i++) {
        const GuestFilesystemInfo *fs = list->pdata[i];
        gboolean is_known = fs->has_used_bytes && fs->has_total_bytes && fs->total_bytes > 0;

        table_add(table, fs->mountpoint);
        table_add(table, fs->type);
        table_add_size(table, fs->has_total_bytes, fs->total_bytes);
        table_add_size(table, fs->has_used_bytes, fs->used_bytes);
        table_take(table, is_known ? g_strdup_printf("%.0f %%", PERCENT * (gdouble)fs->used_bytes /
                                                                    (gdouble)fs->total_bytes)
                                   : NULL);
        table_add(table, fs->name);
        table_take(table, join_disks(fs->disk));
    }
}

int
inventory_fs(const Subcommand *subcommand, GError **error)
{
    static const QapiType type = { .kind = QAPI_KIND_LIST, .element = &guest_filesystem_info_type };
    static const char *const headings[] = { "MOUNTED", "TYPE",   "SIZE", "USED",
                                            "USE",     "DEVICE", "DISKS" };
    GPtrArray *list = NULL;

    return qga_guest_get_fsinfo(subcommand->client, &list, error)
               ? print_list(subcommand, &type, list, headings, G_N_ELEMENTS(headings),
                            add_file_systems, error)
               : -1;
}

/* A row for each address, and one for an interface that has none. */
static void
add_address(Table *table, const GuestNetworkInterface *interface, const GuestIpAddress *address)
{
    const GuestNetworkInterfaceStat *statistics = interface->statistics;

    table_add(table, interface->name);
    table_take(table, address ? g_strdup_printf("%s/%" G_GINT64_FORMAT, address->ip_address,
                                                address->prefix)
                              : NULL);
    table_add(table, interface->hardware_address);
    table_add_size(table, statistics != NULL, statistics ? statistics->rx_bytes : 0);
    table_add_size(table, statistics != NULL, statistics ? statistics->tx_bytes : 0);
}

static void
add_interfaces(Table *table, const GPtrArray *list)
{
    for (guint i = 0; i < list->len; i++) {
        const GuestNetworkInterface *interface = list->pdata[i];
        guint n_addresses = interface->ip_addresses ? interface->ip_addresses->len : 0;

        for (guint n = 0; n < n_addresses; n++)
            add_address(table, interface, interface->ip_addresses->pdata[n]);
        if (n_addresses == 0)
            add_address(table, interface, NULL);
    }
}

int
inventory_net(const Subcommand *subcommand, GError **error)
{
    static const QapiType type = { .kind = QAPI_KIND_LIST,
                                   .element = &guest_network_interface_type };
    static const char *const headings[] = { "INTERFACE", "ADDRESS", "MAC", "RECEIVED", "SENT" };
    GPtrArray *list = NULL;

    return qga_guest_network_get_interfaces(subcommand->client, &list, error)
               ? print_list(subcommand, &type, list, headings, G_N_ELEMENTS(headings),
                            add_interfaces, error)
               : -1;
}

static void
add_disks(Table *table, const GPtrArray *list)
{
    for (guint i = 0; i < list->len; i++) {
        const GuestDiskInfo *disk = list->pdata[i];
        const GuestDiskAddress *address = disk->address;

        table_add(table, disk->name);
        table_add(table, disk->partition ? "partition" : "disk");
        table_add(table, address ? guest_disk_bus_type_type.values[address->bus_type] : NULL);
        table_add(table, address ? address->serial : NULL);
        table_add(table, disk->alias);
        g_autoptr(GPtrArray) names = g_ptr_array_new();
        for (guint n = 0; disk->dependencies && n < disk->dependencies->len; n++)
            g_ptr_array_add(names, disk->dependencies->pdata[n]);
        g_ptr_array_add(names, NULL);
        g_autofree char *below = g_strjoinv(",", (char **)names->pdata);
        table_add(table, below);
    }
}

int
inventory_disks(const Subcommand *subcommand, GError **error)
{
    static const QapiType type = { .kind = QAPI_KIND_LIST, .element = &guest_disk_info_type };
    static const char *const headings[] = { "NAME", "KIND", "BUS", "SERIAL", "ALIAS", "ON" };
    GPtrArray *list = NULL;

    return qga_guest_get_disks(subcommand->client, &list, error)
               ? print_list(subcommand, &type, list, headings, G_N_ELEMENTS(headings), add_disks,
                            error)
               : -1;
}
