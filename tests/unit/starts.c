/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/starts.h"

#include <glib/gstdio.h>

#include "runner.h"

#define NOON 1000000

static char *folder;

static void
setup(void)
{
    folder = g_dir_make_tmp("starts-XXXXXX", NULL);
}

static void
teardown(void)
{
    ga_starts_end(folder);
    ck_assert_int_eq(g_rmdir(folder), 0);
    g_free(folder);
}

START_TEST(crashes_in_a_row_are_counted)
{
    for (guint i = 0; i < GA_STARTS_CRASHES + 1; i++)
        ck_assert_uint_eq(ga_starts_begin(folder, NOON + i), i);
}
END_TEST

START_TEST(a_clean_end_forgets_them)
{
    ga_starts_begin(folder, NOON);
    ga_starts_begin(folder, NOON);
    ga_starts_end(folder);
    ck_assert_uint_eq(ga_starts_begin(folder, NOON), 0);
}
END_TEST

START_TEST(an_agent_that_ran_for_long_begins_anew)
{
    ga_starts_begin(folder, NOON);
    ga_starts_begin(folder, NOON);
    ck_assert_uint_eq(ga_starts_begin(folder, NOON + GA_STARTS_SHORT), 1);
}
END_TEST

START_TEST(a_file_that_is_broken_is_no_crash)
{
    g_autofree char *path = g_build_filename(folder, "qga.starts", NULL);

    ck_assert(g_file_set_contents(path, "rubbish", -1, NULL));
    ck_assert_uint_eq(ga_starts_begin(folder, NOON), 0);
    ck_assert_uint_eq(ga_starts_begin("/no/such/folder", NOON), 0);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("starts");
    TCase *tests = tcase_create("starts");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, crashes_in_a_row_are_counted);
    tcase_add_test(tests, a_clean_end_forgets_them);
    tcase_add_test(tests, an_agent_that_ran_for_long_begins_anew);
    tcase_add_test(tests, a_file_that_is_broken_is_no_crash);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
