/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "posix/vigil.h"

#include "runner.h"

#define PIECE (64 * 1024)
#define SOON (OS_VIGIL_QUICK / 2)

static OsVigil vigil;
static gint64 now;

static void
setup(void)
{
    vigil = (OsVigil){ 0 };
    now = 1000000;
}

/* A request that comes `pause` after the last answer, in two parts, and its answer. */
static void
exchange(gint64 pause, gsize size)
{
    now += pause;
    os_vigil_received(&vigil, size / 2, now);
    now += 2 * OS_VIGIL_QUICK; /* the parts may take their time */
    os_vigil_received(&vigil, size - size / 2, now);
    os_vigil_answered(&vigil, now);
}

START_TEST(a_quick_stream_of_large_requests_keeps_the_loop_awake)
{
    exchange(0, PIECE);
    ck_assert(!os_vigil_is_kept(&vigil, now));
    exchange(SOON, PIECE);
    ck_assert(os_vigil_is_kept(&vigil, now));
    ck_assert(os_vigil_is_kept(&vigil, now + OS_VIGIL_TIME - 1));
    exchange(SOON, PIECE);
    ck_assert(os_vigil_is_kept(&vigil, now));
}
END_TEST

START_TEST(a_vigil_ends_by_itself)
{
    exchange(0, PIECE);
    exchange(SOON, PIECE);
    ck_assert(!os_vigil_is_kept(&vigil, now + OS_VIGIL_TIME));
}
END_TEST

START_TEST(the_parts_of_a_quick_request_are_waited_for_too)
{
    exchange(0, PIECE);
    ck_assert(!os_vigil_is_kept(&vigil, now));
    now += SOON;
    os_vigil_received(&vigil, 1, now);
    ck_assert(os_vigil_is_kept(&vigil, now));
    ck_assert(!os_vigil_is_kept(&vigil, now + OS_VIGIL_TIME));
}
END_TEST

START_TEST(after_one_that_was_for_nothing_there_is_none)
{
    exchange(0, PIECE);
    exchange(SOON, PIECE);
    exchange(OS_VIGIL_QUICK + 1, PIECE);
    ck_assert(!os_vigil_is_kept(&vigil, now));
}
END_TEST

START_TEST(short_requests_are_not_waited_for_however_quick)
{
    for (guint i = 0; i < 10; i++) {
        exchange(1, OS_VIGIL_REQUEST - 1);
        ck_assert(!os_vigil_is_kept(&vigil, now));
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("vigil");
    TCase *tests = tcase_create("vigil");

    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, a_quick_stream_of_large_requests_keeps_the_loop_awake);
    tcase_add_test(tests, a_vigil_ends_by_itself);
    tcase_add_test(tests, the_parts_of_a_quick_request_are_waited_for_too);
    tcase_add_test(tests, after_one_that_was_for_nothing_there_is_none);
    tcase_add_test(tests, short_requests_are_not_waited_for_however_quick);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
