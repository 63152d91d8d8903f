/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The time zone, from TZ or from a zone file of ours. */
#include "platform/time.h"

#include <glib/gstdio.h>

#include "gen/guest-agent-commands.h"
#include "runner.h"

static const char *zone_file;

const char *
os_local_time_zone(void)
{
    return zone_file;
}

static void
assert_zone(const char *tz, const char *zone, gint64 offset)
{
    if (tz)
        g_setenv("TZ", tz, TRUE);
    else
        g_unsetenv("TZ");
    g_autoptr(GuestTimezone) result = guest_get_timezone(NULL, NULL);
    ck_assert_ptr_nonnull(result);
    ck_assert_str_eq(result->zone, zone);
    ck_assert_int_eq(result->offset, offset);
}

START_TEST(the_time_has_microseconds)
{
    gint64 before = g_get_real_time(), now = 0;

    ck_assert(guest_get_time(NULL, &now, NULL));
    ck_assert_int_ge(now, before * 1000);
    ck_assert_int_le(now, g_get_real_time() * 1000);
    ck_assert_int_eq(now % 1000, 0);
}
END_TEST

START_TEST(the_environment_sets_the_zone)
{
    zone_file = "/no/such/file";
    assert_zone("UTC", "UTC", 0);
    assert_zone("+05:30", "+05:30", 19800);
    assert_zone("XYZ-05:30", "XYZ", 19800);
    assert_zone("No/Such", "UTC", 0);
    assert_zone("", "UTC", 0);
}
END_TEST

/* The smallest zone file there is: one type of local time, 90 minutes east, named NOVA. */
static const char nova_zone[] = "TZif\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                                "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\5"
                                "\0\0\x15\x18\0\0"
                                "NOVA";

START_TEST(a_zone_file_in_place_counts_and_a_change_is_seen)
{
    g_autofree char *folder = g_dir_make_tmp("time-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "localtime", NULL);

    zone_file = path;
    assert_zone(NULL, "UTC", 0);
    ck_assert(g_file_set_contents(path, nova_zone, sizeof nova_zone, NULL));
    assert_zone(NULL, "NOVA", 5400);
    g_unlink(path);
    assert_zone(NULL, "UTC", 0);
    g_rmdir(folder);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("time");
    TCase *tcase = tcase_create("time");

    tcase_add_test(tcase, the_time_has_microseconds);
    tcase_add_test(tcase, the_environment_sets_the_zone);
    tcase_add_test(tcase, a_zone_file_in_place_counts_and_a_change_is_seen);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
