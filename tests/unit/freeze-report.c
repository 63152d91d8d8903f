/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is told of a freeze, and what of it a next agent knows. */
#include "commands/freeze-report.h"

#include <check.h>

#include "runner.h"

static GaFreezeReport
report_of(const char *id)
{
    GaFreezeReport report;

    ga_freeze_report_init(&report);
    ga_freeze_report_begin(&report, id);
    return report;
}

START_TEST(no_freeze_is_over_and_unknown)
{
    GaFreezeReport report;

    ga_freeze_report_init(&report);
    ck_assert(report.is_over);
    ck_assert(!report.is_expired);
    ck_assert_int_eq(report.count, -1);
    ck_assert_int_eq(report.thaw_hook, -1);
    ck_assert_ptr_null(ga_freeze_report_describe(&report));
    ga_freeze_report_end(&report, "late", TRUE);
    ck_assert_ptr_null(report.ended_by);
    ck_assert_int_eq(report.ended, 0);
}
END_TEST

START_TEST(a_new_freeze_knows_nothing_of_the_last)
{
    GaFreezeReport report = report_of("first");

    report.count = 3;
    report.thaw_hook_error = g_strdup("no");
    report.file_systems = g_ptr_array_new();
    ga_freeze_report_end(&report, "thaw", TRUE);
    ga_freeze_report_begin(&report, "second");
    ck_assert_str_eq(report.id, "second");
    ck_assert(!report.is_over && !report.is_expired);
    ck_assert_int_eq(report.count, -1);
    ck_assert_ptr_null(report.thaw_hook_error);
    ck_assert_ptr_null(report.file_systems);
    ga_freeze_report_clear(&report);
}
END_TEST

START_TEST(only_the_first_end_counts)
{
    GaFreezeReport report = report_of(NULL);

    ga_freeze_report_end(&report, "thaw", FALSE);
    gint64 ended = report.ended;
    ck_assert_int_gt(ended, 0);
    ga_freeze_report_end(&report, "again", TRUE);
    ck_assert_str_eq(report.ended_by, "thaw");
    ck_assert(!report.is_expired);
    ck_assert_int_eq(report.ended, ended);
    ga_freeze_report_clear(&report);
}
END_TEST

/* The deadline is when it was over, however late the agent hears of it. */
START_TEST(an_expired_freeze_ended_at_its_deadline)
{
    GaFreezeReport report = report_of(NULL);

    report.deadline = 5;
    ga_freeze_report_end(&report, "thaw", TRUE);
    ck_assert_int_eq(report.ended, 5);
    ga_freeze_report_clear(&report);
}
END_TEST

START_TEST(the_next_agent_recalls_id_and_begin)
{
    GaFreezeReport report = report_of("a-b");
    GaFreezeReport next;

    report.begun = G_GINT64_CONSTANT(9000000000);
    g_autofree char *line = ga_freeze_report_describe(&report);
    ck_assert_str_eq(line, "a-b 9000000000\n");
    ga_freeze_report_init(&next);
    ga_freeze_report_recall(&next, line);
    ck_assert_str_eq(next.id, "a-b");
    ck_assert_int_eq(next.begun, report.begun);
    ck_assert(!next.is_over);
    ga_freeze_report_clear(&next);
    ga_freeze_report_clear(&report);
}
END_TEST

START_TEST(the_next_agent_knows_that_something_was_held)
{
    GaFreezeReport report = report_of("a-b");
    GaFreezeReport next;

    report.begun = 7;
    report.is_held = TRUE;
    g_autofree char *line = ga_freeze_report_describe(&report);
    ck_assert_str_eq(line, "a-b 7 held\n");
    ga_freeze_report_init(&next);
    ga_freeze_report_recall(&next, line);
    ck_assert_int_eq(next.begun, 7);
    ck_assert(!next.is_held);
    ck_assert_str_eq(next.hold_error, "the agent that held the applications has ended");
    ga_freeze_report_clear(&next);
    ga_freeze_report_clear(&report);
}
END_TEST

START_TEST(a_damaged_line_tells_of_a_freeze_only)
{
    static const char *const lines[] = { NULL, "", "word", "\n" };

    for (guint i = 0; i < G_N_ELEMENTS(lines); i++) {
        GaFreezeReport report = report_of("old");

        ga_freeze_report_recall(&report, lines[i]);
        ck_assert_ptr_null(report.id);
        ck_assert_int_eq(report.begun, 0);
        ck_assert(!report.is_over);
        ga_freeze_report_clear(&report);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("freeze-report");
    TCase *tests = tcase_create("freeze-report");

    tcase_add_test(tests, no_freeze_is_over_and_unknown);
    tcase_add_test(tests, a_new_freeze_knows_nothing_of_the_last);
    tcase_add_test(tests, only_the_first_end_counts);
    tcase_add_test(tests, an_expired_freeze_ended_at_its_deadline);
    tcase_add_test(tests, the_next_agent_recalls_id_and_begin);
    tcase_add_test(tests, the_next_agent_knows_that_something_was_held);
    tcase_add_test(tests, a_damaged_line_tells_of_a_freeze_only);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
