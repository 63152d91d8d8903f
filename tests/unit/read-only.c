/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "extensions/health/read-only.h"

#include "runner.h"

static void
assert_found(const char *mountinfo, const char *expected, gboolean expected_root)
{
    gboolean root;
    GPtrArray *found = read_only_find(mountinfo, 2, &root);

    g_ptr_array_set_free_func(found, g_free);
    g_ptr_array_add(found, NULL);
    g_autofree char *text = g_strjoinv(" ", (char **)found->pdata);
    ck_assert_str_eq(text, expected);
    ck_assert_int_eq(root, expected_root);
    g_ptr_array_unref(found);
}

START_TEST(what_lost_its_right_to_write_is_found)
{
    assert_found("1 0 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 ro,errors=remount-ro\n", "/",
                 TRUE);
    assert_found("1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 8:2 / /a\\040b rw - xfs /dev/sda2 ro\n",
                 "/a b", FALSE);
    assert_found("1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 0:35 / /data rw - btrfs /dev/sdb ro\n",
                 "/data", FALSE);
}
END_TEST

START_TEST(what_keeps_its_rw_after_an_error_is_found)
{
    assert_found("1 0 8:1 / / rw - ext4 /dev/sda1 rw,emergency_ro,errors=remount-ro\n", "/", TRUE);
    assert_found("1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 8:2 / /a rw - ext4 /dev/sda2 "
                 "rw,shutdown\n",
                 "/a", FALSE);
    assert_found("1 0 8:1 / / rw - ext4 /dev/sda1 rw,errors=remount-ro\n", "", FALSE);
}
END_TEST

START_TEST(what_is_meant_to_be_read_only_is_not)
{
    assert_found("1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
                 "2 1 8:2 / /cd ro - iso9660 /dev/sr0 ro\n"
                 "3 1 8:1 / /bind ro - ext4 /dev/sda1 rw\n"
                 "4 1 0:22 / /sys rw - sysfs sysfs ro\n",
                 "", FALSE);
    assert_found("1 0 8:1 / / ro - ext4 /dev/sda1 ro\n", "", TRUE);
}
END_TEST

START_TEST(odd_lines_and_too_many_do_no_harm)
{
    assert_found("", "", FALSE);
    assert_found("rubbish\n1 2 3\n1 0 8:1 / / rw -\n1 0 8:1 / / rw - ext4\n", "", FALSE);
    assert_found("1 0 8:1 / /1 rw - x y ro\n1 0 8:1 / /2 rw - x y ro\n1 0 8:1 / /3 rw - x y ro\n",
                 "/1 /2", FALSE);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("read-only");
    TCase *tests = tcase_create("read-only");

    tcase_add_test(tests, what_lost_its_right_to_write_is_found);
    tcase_add_test(tests, what_keeps_its_rw_after_an_error_is_found);
    tcase_add_test(tests, what_is_meant_to_be_read_only_is_not);
    tcase_add_test(tests, odd_lines_and_too_many_do_no_harm);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
