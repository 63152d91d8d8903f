/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of /proc/net/dev, and the interfaces of this machine, which are as they are. */
#include "linux/net.h"

#include "gen/guest-agent.h"
#include "platform/network.h"
#include "runner.h"

static GHashTable *
counters_of(const char *const *lines, guint n_lines)
{
    GHashTable *counters = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                                 (GDestroyNotify)guest_network_interface_stat_free);

    for (guint i = 0; i < n_lines; i++)
        os_net_counters_add(counters, lines[i]);
    return counters;
}

START_TEST(a_line_has_sixteen_numbers_behind_the_name)
{
    static const char *const lines[] = {
        "    lo: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16",
        "eth0:-1 18446744073709551615 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17",
        "lo: 91 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16", /* the first one counts */
    };
    g_autoptr(GHashTable) counters = counters_of(lines, G_N_ELEMENTS(lines));
    const GuestNetworkInterfaceStat *lo = g_hash_table_lookup(counters, "lo");
    const GuestNetworkInterfaceStat *eth0 = g_hash_table_lookup(counters, "eth0");

    ck_assert_uint_eq(g_hash_table_size(counters), 2);
    ck_assert_uint_eq(lo->rx_bytes, 1);
    ck_assert_uint_eq(lo->rx_packets, 2);
    ck_assert_uint_eq(lo->rx_errs, 3);
    ck_assert_uint_eq(lo->rx_dropped, 4);
    ck_assert_uint_eq(lo->tx_bytes, 9);
    ck_assert_uint_eq(lo->tx_packets, 10);
    ck_assert_uint_eq(lo->tx_errs, 11);
    ck_assert_uint_eq(lo->tx_dropped, 12);
    /* as qemu-ga reads them */
    ck_assert_uint_eq(eth0->rx_bytes, G_MAXUINT64);
    ck_assert_uint_eq(eth0->rx_packets, G_MAXINT64);
}
END_TEST

START_TEST(other_lines_have_no_counters)
{
    static const char *const lines[] = {
        "Inter-|   Receive                                                |  Transmit",
        " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs",
        "",
        "lo",
        "lo:",
        "lo: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15",
        "lo: 1 2 3 x",
        "lo:lo: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16",
    };
    g_autoptr(GHashTable) counters = counters_of(lines, G_N_ELEMENTS(lines));

    ck_assert_uint_eq(g_hash_table_size(counters), 0);
}
END_TEST

START_TEST(every_interface_is_there_once)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *interfaces = os_network_interfaces(&error);
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

    ck_assert_msg(interfaces != NULL, "%s", error ? error->message : "");
    for (guint i = 0; i < interfaces->len; i++) {
        const GuestNetworkInterface *interface = interfaces->pdata[i];
        ck_assert(g_hash_table_add(names, interface->name));
        ck_assert(interface->ip_addresses || !interface->statistics);
    }
    ck_assert(g_hash_table_contains(names, "lo"));
    qapi_free(&guest_network_interface_list_type, interfaces);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("net");
    TCase *tcase = tcase_create("net");

    tcase_add_test(tcase, a_line_has_sixteen_numbers_behind_the_name);
    tcase_add_test(tcase, other_lines_have_no_counters);
    tcase_add_test(tcase, every_interface_is_there_once);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
