/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The filter of interfaces. */
#include "commands/network.h"

#include "gen/guest-agent.h"
#include "runner.h"

/* The names that are left of these, all separated by blanks. */
static char *
filtered(const GaInterfaceFilter *filter, const char *names)
{
    g_auto(GStrv) words = g_strsplit(names, " ", -1);
    g_autoptr(GString) text = g_string_new(NULL);
    GPtrArray *interfaces = g_ptr_array_new();

    for (guint i = 0; words[i]; i++) {
        GuestNetworkInterface *interface = g_new0(GuestNetworkInterface, 1);

        interface->name = g_strdup(words[i]);
        g_ptr_array_add(interfaces, interface);
    }
    interfaces = ga_interface_filter_apply(filter, interfaces);
    for (guint i = 0; i < interfaces->len; i++)
        g_string_append_printf(text, "%s%s", i ? " " : "",
                               ((const GuestNetworkInterface *)interfaces->pdata[i])->name);
    qapi_free(&guest_network_interface_list_type, interfaces);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

#define LIST(...) ((char *[]){ __VA_ARGS__, NULL })

START_TEST(names_go_and_come_as_the_filter_says)
{
    static const char names[] = "lo veth1 eth1 docker0 eth0 enp1s0 veth0 docker0:a";
    const struct {
        GaInterfaceFilter filter;
        const char *left;
    } cases[] = {
        { { NULL, NULL, 0 }, names },
        { { LIST("none"), LIST("none"), 100 }, names },
        { { LIST("docker*", "veth?"), NULL, 0 }, "lo eth1 eth0 enp1s0" },
        { { LIST("*"), NULL, 0 }, "" },
        { { NULL, LIST("eth*", "en*"), 0 }, "eth1 eth0 enp1s0 lo veth1 docker0 veth0 docker0:a" },
        { { NULL, LIST("eth0", "*th*"), 0 }, "eth0 veth1 eth1 veth0 lo docker0 enp1s0 docker0:a" },
        { { NULL, NULL, 2 }, "lo veth1" },
        { { LIST("lo", "v*"), LIST("docker*"), 3 }, "docker0 docker0:a eth1" },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *left = filtered(&cases[i].filter, names);
        ck_assert_str_eq(left, cases[i].left);
    }
}
END_TEST

START_TEST(a_name_that_is_not_utf8_is_matched_as_it_is_shown)
{
    const GaInterfaceFilter filter = { LIST("?\xEF\xBF\xBD"), NULL, 0 };
    g_autofree char *left = filtered(&filter, "a\xfc a\xfc\xfc b\xff lo");

    ck_assert_str_eq(left, "a\xfc\xfc lo");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("network");
    TCase *tcase = tcase_create("network");

    tcase_add_test(tcase, names_go_and_come_as_the_filter_says);
    tcase_add_test(tcase, a_name_that_is_not_utf8_is_matched_as_it_is_shown);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
