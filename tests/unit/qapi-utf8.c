/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The length of a plain run, whatever block it ends in. */
#include "runtime/qapi-utf8.h"

#include <check.h>
#include <string.h>

#include "runner.h"

#define LONGEST 200

/* What ends a run that only '"' may end, and what does not. */
static const char specials[] = { '\0', '\x1F', '\n', '"', '\\', '\x7F', '\x80', '\xFF' };
static const char harmless[] = { ' ', '!', '\'', '~', '[', ']', 'A', 'z' };

START_TEST(a_run_ends_at_the_first_special_byte)
{
    char text[LONGEST];

    for (gsize size = 0; size <= LONGEST; size++) {
        for (gsize at = 0; at < size; at++) {
            memset(text, 'x', sizeof text);
            text[at] = specials[_i];
            text[size - 1] = specials[_i];
            ck_assert_uint_eq(qapi_plain_length(text, size, '"'), at);
        }
    }
}
END_TEST

START_TEST(a_harmless_byte_does_not_end_it)
{
    char text[LONGEST];

    for (gsize size = 0; size < LONGEST; size++) {
        memset(text, harmless[_i], sizeof text);
        text[size] = '"';
        ck_assert_uint_eq(qapi_plain_length(text, LONGEST, '"'), size);
        ck_assert_uint_eq(qapi_plain_length(text, size, '"'), size);
    }
}
END_TEST

START_TEST(the_other_quote_ends_it_instead)
{
    ck_assert_uint_eq(qapi_plain_length("ab\"c'd", 6, '\''), 4);
    ck_assert_uint_eq(qapi_plain_length("ab\"c'd", 6, '"'), 2);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("qapi-utf8");
    TCase *tests = tcase_create("qapi-utf8");

    tcase_add_loop_test(tests, a_run_ends_at_the_first_special_byte, 0, G_N_ELEMENTS(specials));
    tcase_add_loop_test(tests, a_harmless_byte_does_not_end_it, 0, G_N_ELEMENTS(harmless));
    tcase_add_test(tests, the_other_quote_ends_it_instead);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
