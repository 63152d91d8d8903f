/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of the two tables of routes, and odd ones. Expected texts were seen on qemu-ga 11.1.3. */
#include "linux/route.h"

#include "gen/guest-agent.h"
#include "json.h"
#include "runner.h"

#define Z "00000000000000000000000000000000"

typedef struct {
    const char *line, *json;
} Case;

static void
assert_cases(void (*add)(GPtrArray *routes, const char *line), const Case *cases, guint n_cases)
{
    for (guint i = 0; i < n_cases; i++) {
        GPtrArray *routes = g_ptr_array_new();

        add(routes, cases[i].line);
        assert_json(cases[i].line, &guest_network_route_list_type, routes, cases[i].json);
    }
}

START_TEST(an_ipv4_route_has_eleven_columns)
{
    static const Case cases[] = {
        { "eth0\t00000000\t010200C0\t0003\t4\t5\t100\t00FFFFFF\t8\t9\t10   ",
          "[{\"flags\": 3, \"metric\": 100, \"refcnt\": 4, \"window\": 9, \"version\": 4, "
          "\"iface\": \"eth0\", \"destination\": \"0.0.0.0\", \"irtt\": 10, "
          "\"gateway\": \"192.0.2.1\", \"use\": 5, \"mtu\": 8, \"mask\": \"255.255.255.0\"}]" },
        { "* FFFFFFFF 100000000 ffffffff 4294967295 4294967296 2147483648 0x1234 -1 -2 "
          "99999999999999999999 12",
          "[{\"flags\": 4294967295, \"metric\": -2147483648, \"refcnt\": -1, \"window\": -2, "
          "\"version\": 4, \"iface\": \"*\", \"destination\": \"255.255.255.255\", "
          "\"irtt\": -1, \"gateway\": \"0.0.0.0\", \"use\": 0, \"mtu\": -1, "
          "\"mask\": \"52.18.0.0\"}]" },
        { "eth0 1 2 3 4 5 6 7 8 9", "[]" },
        { "eth0 g 2 3 4 5 6 7 8 9 10", "[]" },
        { "eth0 1 2 3 a 5 6 7 8 9 10", "[]" },
        { "", "[]" },
    };

    assert_cases(os_routes_add_ipv4, cases, G_N_ELEMENTS(cases));
}
END_TEST

START_TEST(an_ipv6_route_has_ten_columns)
{
    static const Case cases[] = {
        { "fd000000000000000000000000000000 40 " Z " 00 " Z " 00000100 00000001 00000000 80200001"
          "     eth0",
          "[{\"flags\": 18446744071564165121, \"source\": \"::\", \"metric\": 256, "
          "\"refcnt\": 1, \"version\": 6, \"nexthop\": \"::\", \"iface\": \"eth0\", "
          "\"destination\": \"fd00::\", \"desprefixlen\": \"64\", \"srcprefixlen\": \"0\", "
          "\"use\": 0}]" },
        { "00000000000000000000ffff01020304 80 fe80000000000000fFfFfFfFfFfFfFfF fff " Z
          " ffffffff 80000000 7fffffff 123456789 lo more",
          "[{\"flags\": 591751049, \"source\": \"fe80::ffff:ffff:ffff:ffff\", \"metric\": -1, "
          "\"refcnt\": -2147483648, \"version\": 6, \"nexthop\": \"::\", \"iface\": \"lo\", "
          "\"destination\": \"::ffff:1.2.3.4\", \"desprefixlen\": \"128\", "
          "\"srcprefixlen\": \"4095\", \"use\": 2147483647}]" },
        /* what is no address has no member */
        { Z " 40 zzz 00 0000 1 2 3 4 lo",
          "[{\"flags\": 4, \"metric\": 1, \"refcnt\": 2, \"version\": 6, \"iface\": \"lo\", "
          "\"destination\": \"::\", \"desprefixlen\": \"64\", \"srcprefixlen\": \"0\", "
          "\"use\": 3}]" },
        /* 32 digits are taken, the next column begins with the rest */
        { Z "0 40 " Z " 00 " Z " 1 2 3 4 lo",
          "[{\"flags\": 3, \"metric\": 0, \"refcnt\": 1, \"version\": 6, \"iface\": \"4\", "
          "\"destination\": \"::\", \"desprefixlen\": \"0\", \"srcprefixlen\": \"0\", "
          "\"use\": 2}]" },
        { "zzz 40 " Z " 00 " Z " 1 2 3 4 lo", "[]" },
        { Z " 40 " Z " 00 " Z " 1 2 3 4", "[]" },
        { Z " 40 " Z " 00 " Z " 1 2 3 g lo", "[]" },
        { "", "[]" },
    };

    assert_cases(os_routes_add_ipv6, cases, G_N_ELEMENTS(cases));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("route");
    TCase *tcase = tcase_create("route");

    tcase_add_test(tcase, an_ipv4_route_has_eleven_columns);
    tcase_add_test(tcase, an_ipv6_route_has_ten_columns);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
