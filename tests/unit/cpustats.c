/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of /proc/stat of kernels old and new, and odd ones. Expected texts were seen on qemu-ga
 * 11.1.3, where a tick has 10 ms as here. */
#include "linux/cpustats.h"

#include "gen/guest-agent.h"
#include "json.h"
#include "runner.h"

#define OLD "\"idle\": 40, \"system\": 30, \"nice\": 20, \"type\": \"linux\", \"user\": 10}]"

START_TEST(columns_tell_the_age_of_the_kernel)
{
    static const struct {
        const char *line, *json;
    } cases[] = {
        { "cpu0 1 2 3 4", "[{\"cpu\": 0, " OLD },
        { "cpu0 1 2 3 4 5", "[{\"cpu\": 0, \"idle\": 40, \"iowait\": 50, \"system\": 30, "
                            "\"nice\": 20, \"type\": \"linux\", \"user\": 10}]" },
        { "cpu0 1 2 3 4 5 6",
          "[{\"cpu\": 0, \"idle\": 40, \"iowait\": 50, \"system\": 30, \"nice\": 20, "
          "\"irq\": 60, \"type\": \"linux\", \"user\": 10, \"softirq\": 0}]" },
        { "cpu0 1 2 3 4 5 6 7",
          "[{\"cpu\": 0, \"idle\": 40, \"iowait\": 50, \"system\": 30, \"nice\": 20, "
          "\"irq\": 60, \"type\": \"linux\", \"user\": 10, \"softirq\": 70}]" },
        { "cpu0 1 2 3 4 5 6 7 8 9",
          "[{\"cpu\": 0, \"idle\": 40, \"steal\": 80, \"iowait\": 50, \"system\": 30, "
          "\"guest\": 90, \"nice\": 20, \"irq\": 60, \"type\": \"linux\", \"user\": 10, "
          "\"softirq\": 70}]" },
        { "cpu0 1 2 3 4 5 6 7 8 9 10 11",
          "[{\"cpu\": 0, \"guestnice\": 100, \"idle\": 40, \"steal\": 80, \"iowait\": 50, "
          "\"system\": 30, \"guest\": 90, \"nice\": 20, \"irq\": 60, \"type\": \"linux\", "
          "\"user\": 10, \"softirq\": 70}]" },
        { "cpu0 18446744073709551615 1844674407370955162 3 4",
          "[{\"cpu\": 0, \"idle\": 40, \"system\": 30, \"nice\": 4, \"type\": \"linux\", "
          "\"user\": 184467440737095506}]" },
        { " cpu12x\t1 2 3 4", "[{\"cpu\": 12, " OLD },
        { "cpufreq 1 2 3 4", "[{\"cpu\": 0, " OLD },
        { "cpu4294967295 1 2 3 4", "[{\"cpu\": -1, " OLD },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        GPtrArray *stats = g_ptr_array_new();

        ck_assert(os_cpustats_add(stats, cases[i].line));
        assert_json(cases[i].line, &guest_cpu_stats_list_type, stats, cases[i].json);
    }
}
END_TEST

START_TEST(other_lines_add_nothing)
{
    static const char *const lines[] = {
        "", " ", "cpu 1 2 3 4", "cpu  1", "intr 1 2 3 4", "xcpu0 1 2 3 4", "CPU0 1 2 3 4"
    };
    g_autoptr(GPtrArray) stats = g_ptr_array_new();

    for (guint i = 0; i < G_N_ELEMENTS(lines); i++) {
        ck_assert(os_cpustats_add(stats, lines[i]));
        ck_assert_uint_eq(stats->len, 0);
    }
}
END_TEST

START_TEST(a_processor_with_too_few_numbers_is_odd)
{
    static const char *const lines[] = { "cpu0", "cpu0 1 2 3", "cpu0 1 x 3 4", "cpu0 1.5 2 3 4" };
    g_autoptr(GPtrArray) stats = g_ptr_array_new();

    for (guint i = 0; i < G_N_ELEMENTS(lines); i++) {
        ck_assert(!os_cpustats_add(stats, lines[i]));
        ck_assert_uint_eq(stats->len, 0);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("cpustats");
    TCase *tcase = tcase_create("cpustats");

    tcase_add_test(tcase, columns_tell_the_age_of_the_kernel);
    tcase_add_test(tcase, other_lines_add_nothing);
    tcase_add_test(tcase, a_processor_with_too_few_numbers_is_odd);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
