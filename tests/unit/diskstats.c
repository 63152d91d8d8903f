/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of /proc/diskstats of kernels old and new, and odd ones. Expected texts were seen on
 * qemu-ga 11.1.3. */
#include "linux/diskstats.h"

#include <string.h>

#include "gen/guest-agent.h"
#include "json.h"
#include "runner.h"

static void
assert_line(const char *line, const char *expected)
{
    GPtrArray *stats = g_ptr_array_new();

    os_diskstats_add(stats, line);
    assert_json(line, &guest_disk_stats_info_list_type, stats, expected);
}

START_TEST(columns_make_whole_sets)
{
    static const struct {
        const char *line, *json;
    } cases[] = {
        { " 8 1 sda1 1 2 3 4",
          "[{\"name\": \"sda1\", \"stats\": {\"write-ios\": 3, \"read-ios\": 1, "
          "\"write-sectors\": 4, \"read-sectors\": 2}, \"minor\": 1, \"major\": 8}]" },
        { "8 0 sda 1 2 3 4 5 6 7 8 9 10 11 12 13 14",
          "[{\"name\": \"sda\", \"stats\": {\"write-ios\": 5, \"weight-ticks\": 11, "
          "\"read-ios\": 1, \"write-sectors\": 7, \"write-merges\": 6, \"write-ticks\": 8, "
          "\"ios-pgr\": 9, \"read-sectors\": 3, \"read-merges\": 2, \"total-ticks\": 10, "
          "\"read-ticks\": 4}, \"minor\": 0, \"major\": 8}]" },
        { "8 0 sda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16",
          "[{\"name\": \"sda\", \"stats\": {\"discard-sectors\": 14, \"write-ios\": 5, "
          "\"discard-ios\": 12, \"discard-ticks\": 15, \"weight-ticks\": 11, \"read-ios\": 1, "
          "\"write-sectors\": 7, \"write-merges\": 6, \"write-ticks\": 8, \"ios-pgr\": 9, "
          "\"read-sectors\": 3, \"read-merges\": 2, \"total-ticks\": 10, "
          "\"discard-merges\": 13, \"read-ticks\": 4}, \"minor\": 0, \"major\": 8}]" },
        { "8 0 sda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18",
          "[{\"name\": \"sda\", \"stats\": {\"discard-sectors\": 14, \"write-ios\": 5, "
          "\"discard-ios\": 12, \"discard-ticks\": 15, \"weight-ticks\": 11, \"read-ios\": 1, "
          "\"flush-ios\": 16, \"write-sectors\": 7, \"write-merges\": 6, \"write-ticks\": 8, "
          "\"ios-pgr\": 9, \"read-sectors\": 3, \"read-merges\": 2, \"total-ticks\": 10, "
          "\"discard-merges\": 13, \"flush-ticks\": 17, \"read-ticks\": 4}, \"minor\": 0, "
          "\"major\": 8}]" },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_line(cases[i].line, cases[i].json);
}
END_TEST

START_TEST(between_a_partition_and_a_disk_there_is_nothing_to_tell)
{
    g_autoptr(GString) line = g_string_new("8 0 sda 1 2 3 4");

    for (guint n_columns = 5; n_columns < 11; n_columns++) {
        g_string_append_printf(line, " %u", n_columns);
        assert_line(line->str, "[{\"name\": \"sda\", \"stats\": {}, \"minor\": 0, \"major\": 8}]");
    }
}
END_TEST

START_TEST(times_have_32_bits_and_counters_64)
{
    assert_line("4294967297 -1 sda 4294967297 4294967297 4294967297 4294967297 4294967297 "
                "4294967297 4294967297 4294967297 4294967297 4294967297 4294967297",
                "[{\"name\": \"sda\", \"stats\": {\"write-ios\": 4294967297, "
                "\"weight-ticks\": 1, \"read-ios\": 4294967297, \"write-sectors\": 4294967297, "
                "\"write-merges\": 4294967297, \"write-ticks\": 1, \"ios-pgr\": 1, "
                "\"read-sectors\": 4294967297, \"read-merges\": 4294967297, \"total-ticks\": 1, "
                "\"read-ticks\": 4294967297}, \"minor\": 4294967295, \"major\": 1}]");
}
END_TEST

START_TEST(a_name_may_be_long_or_odd)
{
    g_autofree char *name = g_strnfill(1000, 'n');
    g_autofree char *line = g_strdup_printf("8 0 %s 1 2 3 4", name);
    g_autofree char *expected = g_strdup_printf(
        "[{\"name\": \"%s\", \"stats\": {\"write-ios\": 3, \"read-ios\": 1, "
        "\"write-sectors\": 4, \"read-sectors\": 2}, \"minor\": 0, \"major\": 8}]",
        name);

    assert_line(line, expected);
    assert_line("8 0 s\xff 1 2 3 4 5",
                "[{\"name\": \"s\\uFFFD\", \"stats\": {}, \"minor\": 0, \"major\": 8}]");
}
END_TEST

START_TEST(other_lines_add_nothing)
{
    static const char *const lines[] = { "",
                                         "x",
                                         "8",
                                         "8 0",
                                         "8 0 sda",
                                         "8 0 sda 1 2 3",
                                         "8 x sda 1 2 3 4",
                                         "8 0 sda 1 2 3 x",
                                         "0x8 0 sda 1 2 3 4" };

    for (guint i = 0; i < G_N_ELEMENTS(lines); i++)
        assert_line(lines[i], "[]");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("diskstats");
    TCase *tcase = tcase_create("diskstats");

    tcase_add_test(tcase, columns_make_whole_sets);
    tcase_add_test(tcase, between_a_partition_and_a_disk_there_is_nothing_to_tell);
    tcase_add_test(tcase, times_have_32_bits_and_counters_64);
    tcase_add_test(tcase, a_name_may_be_long_or_odd);
    tcase_add_test(tcase, other_lines_add_nothing);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
