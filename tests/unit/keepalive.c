/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who waits for a later deadline is told once, whatever happens. */
#include "commands/keepalive.h"

#include <check.h>

#include "runner.h"

typedef struct {
    GaKeepalive keepalive;
    guint told;
    gint64 deadline;
    GError *error;
    gboolean wants_more;
} Wish;

static void
kept(gint64 deadline, GError *error, gpointer user_data)
{
    Wish *wish = user_data;

    wish->told++;
    wish->deadline = deadline;
    wish->error = error;
    ck_assert(!ga_keepalive_is_waiting(&wish->keepalive));
    if (wish->wants_more)
        ga_keepalive_begin(&wish->keepalive, deadline + 1, kept, wish);
    wish->wants_more = FALSE;
}

static void
assert_refused(Wish *wish, const char *expected)
{
    ck_assert_uint_eq(wish->told, 1);
    ck_assert_int_eq(wish->deadline, 0);
    ck_assert_ptr_nonnull(wish->error);
    ck_assert_str_eq(wish->error->message, expected);
    g_clear_error(&wish->error);
}

START_TEST(it_is_told_of_its_deadline_or_a_later_one)
{
    for (gint64 more = 0; more < 2; more++) {
        Wish wish = { .told = 0 };

        ga_keepalive_begin(&wish.keepalive, 100, kept, &wish);
        ck_assert(ga_keepalive_is_waiting(&wish.keepalive));
        ga_keepalive_hear(&wish.keepalive, 100 + more);
        ck_assert_uint_eq(wish.told, 1);
        ck_assert_int_eq(wish.deadline, 100 + more);
        ck_assert_ptr_null(wish.error);
    }
}
END_TEST

START_TEST(an_earlier_deadline_is_no_answer)
{
    Wish wish = { .told = 0 };

    ga_keepalive_begin(&wish.keepalive, 100, kept, &wish);
    ga_keepalive_hear(&wish.keepalive, 99);
    ck_assert_uint_eq(wish.told, 0);
    ck_assert(ga_keepalive_is_waiting(&wish.keepalive));
    ga_keepalive_end(&wish.keepalive);
    assert_refused(&wish, "not-found: the freeze has ended before this");
}
END_TEST

START_TEST(nobody_waits_nobody_is_told)
{
    GaKeepalive keepalive = { .kept = NULL };

    ga_keepalive_hear(&keepalive, 100);
    ga_keepalive_end(&keepalive);
    ga_keepalive_forget(&keepalive);
    ck_assert(!ga_keepalive_is_waiting(&keepalive));
}
END_TEST

START_TEST(a_forgotten_one_is_not_told)
{
    Wish wish = { .told = 0 };

    ga_keepalive_begin(&wish.keepalive, 100, kept, &wish);
    ga_keepalive_forget(&wish.keepalive);
    ga_keepalive_hear(&wish.keepalive, 100);
    ga_keepalive_end(&wish.keepalive);
    ck_assert_uint_eq(wish.told, 0);
}
END_TEST

START_TEST(who_is_told_may_wish_again)
{
    Wish wish = { .wants_more = TRUE };

    ga_keepalive_begin(&wish.keepalive, 100, kept, &wish);
    ga_keepalive_hear(&wish.keepalive, 100);
    ck_assert(ga_keepalive_is_waiting(&wish.keepalive));
    ga_keepalive_hear(&wish.keepalive, 101);
    ck_assert_uint_eq(wish.told, 2);
    ck_assert_int_eq(wish.deadline, 101);
}
END_TEST

START_TEST(a_silent_guardian_is_an_error)
{
    Wish wish = { .told = 0 };
    gint64 begun = g_get_monotonic_time();

    ga_keepalive_begin(&wish.keepalive, 100, kept, &wish);
    while (!wish.told)
        g_main_context_iteration(NULL, TRUE);
    ck_assert_int_ge(g_get_monotonic_time() - begun, 900 * 1000);
    assert_refused(&wish, "timeout: the guardian does not answer: the old deadline holds, or the "
                          "new one");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("keepalive");
    TCase *tests = tcase_create("keepalive");

    tcase_add_test(tests, it_is_told_of_its_deadline_or_a_later_one);
    tcase_add_test(tests, an_earlier_deadline_is_no_answer);
    tcase_add_test(tests, nobody_waits_nobody_is_told);
    tcase_add_test(tests, a_forgotten_one_is_not_told);
    tcase_add_test(tests, who_is_told_may_wish_again);
    tcase_add_test(tests, a_silent_guardian_is_an_error);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
