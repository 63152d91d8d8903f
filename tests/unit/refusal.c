/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/refusal.h"

#include <errno.h>

#include "gen/info.h"
#include "runner.h"
#include "runtime/qapi-error.h"

static void
assert_text(GError *error, const char *expected)
{
    ck_assert_str_eq(error->message, expected);
    g_error_free(error);
}

START_TEST(a_refusal_begins_with_its_word)
{
    GError *error = NULL;

    ga_refuse(&error, GA_REFUSAL_BUSY, "%s runs", "job 7");
    assert_text(error, "busy: job 7 runs");
}
END_TEST

START_TEST(the_system_has_the_word_that_fits)
{
    static const struct {
        gint number;
        const char *expected;
    } cases[] = {
        { ENOENT, "not-found: /x: No such file or directory" },
        { EACCES, "permission: /x: Permission denied" },
        { ENOSPC, "no-space: /x: No space left on device" },
        { EEXIST, "exists: /x: File exists" },
        { EIO, "failed: /x: Input/output error" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        GError *error = NULL;

        ga_refuse_errno(&error, cases[i].number, "/x");
        assert_text(error, cases[i].expected);
    }
}
END_TEST

START_TEST(a_refusal_tells_its_word)
{
    GError *error = NULL;

    for (GaRefusal refusal = 0; refusal <= GA_REFUSAL_EXISTS; refusal++) {
        ga_refuse(&error, refusal, "%s", "text");
        ck_assert_int_eq(ga_refusal_of(error), refusal);
        g_clear_error(&error);
    }
    qapi_set_error(&error, "no word: text");
    ck_assert_int_eq(ga_refusal_of(error), GA_REFUSAL_FAILED);
    g_clear_error(&error);
}
END_TEST

START_TEST(the_words_are_those_of_the_schema)
{
    for (guint i = 0; i < novacron_error_code_type.n_values; i++)
        ck_assert_str_eq(ga_refusal_word((GaRefusal)i), novacron_error_code_type.values[i]);
    ck_assert_uint_eq(novacron_error_code_type.n_values, GA_REFUSAL_EXISTS + 1);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("refusal");
    TCase *tests = tcase_create("refusal");

    tcase_add_test(tests, a_refusal_begins_with_its_word);
    tcase_add_test(tests, the_system_has_the_word_that_fits);
    tcase_add_test(tests, a_refusal_tells_its_word);
    tcase_add_test(tests, the_words_are_those_of_the_schema);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
