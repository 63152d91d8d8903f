/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processors of a folder of ours. */
#include "linux/cpu.h"

#include "gen/guest-agent.h"
#include "json.h"
#include "runner.h"
#include "tree.h"

/* The answer, or the error's text with the folder's name taken out. */
static void
assert_cpus(const char *entry, const char *expected)
{
    g_autoptr(GError) error = NULL;
    char *folder = tree_new(
        (const char *const[]){ "cpufreq", "cpuidle=", "online=0-3", entry, NULL });
    GPtrArray *cpus = os_cpus_read(folder, &error);

    if (cpus) {
        assert_json(entry, &guest_logical_processor_list_type, cpus, expected);
    } else {
        g_auto(GStrv) parts = g_strsplit(error->message, folder, -1);
        g_autofree char *text = g_strjoinv("FOLDER", parts);
        ck_assert_str_eq(text, expected);
    }
    tree_free(folder);
}

START_TEST(a_processor_without_the_file_cannot_go_offline)
{
    assert_cpus("cpu5", "[{\"online\": true, \"can-offline\": false, \"logical-id\": 5}]");
    assert_cpus("cpu6/online=1\n",
                "[{\"online\": true, \"can-offline\": true, \"logical-id\": 6}]");
    assert_cpus("cpu7/online=0\n",
                "[{\"online\": false, \"can-offline\": true, \"logical-id\": 7}]");
}
END_TEST

START_TEST(what_cannot_be_read_is_an_error)
{
    assert_cpus("cpu5/online=", "pread(\"FOLDER/cpu5//online\"): unexpected EOF");
    assert_cpus("cpu5/online", "pread(\"FOLDER/cpu5//online\"): Is a directory");
    assert_cpus("cpu5=text", "Could not open 'FOLDER/cpu5/': Not a directory");
    assert_cpus("cpu05", "Could not open 'FOLDER/cpu5/': No such file or directory");
    assert_cpus("power", "Guest reported zero VCPUs");
}
END_TEST

START_TEST(without_the_folder_there_is_an_error)
{
    g_autoptr(GError) error = NULL;

    ck_assert_ptr_null(os_cpus_read("/nonexistent", &error));
    ck_assert_str_eq(error->message,
                     "failed to list entries: /nonexistent: No such file or directory");
}
END_TEST

START_TEST(a_processor_is_set_by_one_byte_and_only_if_need_be)
{
    char *folder = tree_new((const char *const[]){ "cpu1/online=1 on", "cpu2/online=0off", NULL });

    ck_assert(os_cpu_set(folder, 1, FALSE, NULL));
    ck_assert(os_cpu_set(folder, 2, FALSE, NULL));
    g_autofree char *one = tree_text(folder, "cpu1/online");
    g_autofree char *two = tree_text(folder, "cpu2/online");
    ck_assert_str_eq(one, "0 on");
    ck_assert_str_eq(two, "0off");
    ck_assert(os_cpu_set(folder, 2, TRUE, NULL));
    g_autofree char *again = tree_text(folder, "cpu2/online");
    ck_assert_str_eq(again, "1off");
    tree_free(folder);
}
END_TEST

START_TEST(a_processor_that_is_always_online_may_be_set_online)
{
    char *folder = tree_new((const char *const[]){ "cpu0", NULL });
    g_autoptr(GError) error = NULL;

    ck_assert(os_cpu_set(folder, 0, TRUE, NULL));
    ck_assert(!os_cpu_set(folder, 0, FALSE, NULL));
    ck_assert(!os_cpu_set(folder, 0, FALSE, &error));
    ck_assert_str_eq(error->message, "logical processor #0 can't be offlined");
    tree_free(folder);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("cpu");
    TCase *tcase = tcase_create("cpu");

    tcase_add_test(tcase, a_processor_without_the_file_cannot_go_offline);
    tcase_add_test(tcase, what_cannot_be_read_is_an_error);
    tcase_add_test(tcase, without_the_folder_there_is_an_error);
    tcase_add_test(tcase, a_processor_is_set_by_one_byte_and_only_if_need_be);
    tcase_add_test(tcase, a_processor_that_is_always_online_may_be_set_online);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
