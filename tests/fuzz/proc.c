/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any text in the place of files of /proc: what comes out is whole, and can be written. */
#include <string.h>

#include "fuzz.h"
#include "gen/guest-agent.h"
#include "linux/cpustats.h"
#include "linux/diskstats.h"
#include "linux/net.h"
#include "linux/route.h"
#include "runtime/qapi-write.h"

static void
write_list(const QapiType *type, GPtrArray *list)
{
    g_autoptr(QapiWriter) writer = qapi_writer_new();

    qapi_write(writer, type, &list);
    g_autofree char *text = qapi_writer_to_text(writer, NULL);
    g_assert_true(g_utf8_validate(text, -1, NULL));
    g_assert_true(text[0] == '[' && g_str_has_suffix(text, "]"));
    qapi_free(type, list);
}

static void
run_cpustats(char *const *lines)
{
    GPtrArray *stats = g_ptr_array_new();

    while (*lines && os_cpustats_add(stats, *lines))
        lines++;
    write_list(&guest_cpu_stats_list_type, stats);
}

static void
run_diskstats(char *const *lines)
{
    GPtrArray *stats = g_ptr_array_new();

    for (; *lines; lines++)
        os_diskstats_add(stats, *lines);
    for (guint i = 0; i < stats->len; i++) {
        const GuestDiskStatsInfo *info = stats->pdata[i];
        g_assert_true(info->name && *info->name);
        /* sets are whole: the last of a set brings the first */
        g_assert_true(info->stats->has_read_ios || !info->stats->has_flush_ticks);
    }
    write_list(&guest_disk_stats_info_list_type, stats);
}

static void
run_routes(char *const *lines)
{
    GPtrArray *routes = g_ptr_array_new();

    for (; *lines; lines++) {
        os_routes_add_ipv4(routes, *lines);
        os_routes_add_ipv6(routes, *lines);
    }
    for (guint i = 0; i < routes->len; i++) {
        const GuestNetworkRoute *route = routes->pdata[i];
        g_assert_true(route->iface && *route->iface && route->destination);
        g_assert_true(!route->mask == (route->version == 6));
    }
    write_list(&guest_network_route_list_type, routes);
}

static void
run_counters(char *const *lines)
{
    g_autoptr(GHashTable) counters = g_hash_table_new_full(
        g_str_hash, g_str_equal, g_free, (GDestroyNotify)guest_network_interface_stat_free);

    for (; *lines; lines++)
        os_net_counters_add(counters, *lines);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    run_cpustats(lines);
    run_diskstats(lines);
    run_routes(lines);
    run_counters(lines);
    return 0;
}
