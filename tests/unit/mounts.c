/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines as the kernel writes them, and lines as it never would. */
#include "linux/mounts.h"

#include <string.h>

#include "core/account.h"
#include "runner.h"

/* "DIRECTORY TYPE MAJOR:MINOR" of each mount, in order. */
static char *
summary(const OsMounts *mounts)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < mounts->list->len; i++) {
        const OsMount *mount = mounts->list->pdata[i];
        g_string_append_printf(text, "%s%s %s %u:%u", i ? "; " : "", mount->directory, mount->type,
                               mount->major, mount->minor);
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static void
assert_mounts(void (*add_line)(OsMounts *mounts, const char *line), const char *text,
              const char *expected)
{
    g_autoptr(OsMounts) mounts = os_mounts_new();
    g_auto(GStrv) lines = g_strsplit(text, "|", -1);

    for (guint i = 0; lines[i]; i++)
        add_line(mounts, lines[i]);

    g_autofree char *found = summary(mounts);
    ck_assert_msg(strcmp(found, expected) == 0, "%s\nfound:    %s\nexpected: %s", text, found,
                  expected);
}

START_TEST(only_the_first_mount_of_a_block_device_counts)
{
    static const struct {
        const char *lines, *mounts;
    } cases[] = {
        { "36 35 98:1 / /m rw - ext4 /dev/x rw\n", "/m ext4 98:1" },
        { "36 35 98:1 /r /m rw,a shared:1 master:2 - ext4 /dev/x rw,b", "/m ext4 98:1" },
        { "1 0 98:1 / /a rw - ext4 x rw|2 0 98:1 / /b rw - xfs x rw|3 0 98:2 / /c rw - xfs y rw",
          "/a ext4 98:1; /c xfs 98:2" },
        { "1 0 0:5 / /proc rw - proc proc rw|2 0 0:6 / /t rw - tmpfs none rw"
          "|3 0 0:7 / /n rw - nfs4 host:/x rw|4 0 0:8 / /f rw - fuse.sshfs host: rw",
          "" },
        { "1 0 98:1 / /a\\040b\\134c\\011\\043\\\\ rw - ext4 x rw", "/a b\\c\t#\\ ext4 98:1" },
        { "1 0 98:1 / /a\\40\\999\\777\\000\\q\\ rw - ext4 x rw",
          "/a\\40\\999\\777\\000\\q\\ ext4 98:1" },
        { "1 0 98:1 / /a rw x - y - ext4 x rw", "/a y 98:1" },
        { "1 0 4095:1048575 / /a rw - ext4 x rw", "/a ext4 4095:1048575" },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_mounts(os_mounts_add_info, cases[i].lines, cases[i].mounts);
}
END_TEST

START_TEST(other_lines_of_mountinfo_are_skipped)
{
    static const char *const lines[] = {
        "",
        "\n",
        " ",
        "-",
        "1 0 98:1",
        "x 0 98:1 / /m rw - ext4 x rw",
        "1 0 98:1 / /m",
        "1 0 98:1 / /m rw",
        "1 0 98:1 / /m rw -",
        "1 0 98:1 / /m rw - ext4",
        "1 0 98:1 / /m rw - ext4 ",
        "1 0 98:1 / /m rw - ext4 x",
        "1 0 98:1 / /m rw -  x rw",
        "1 0 98:1 / /m rw - ext4  rw",
        "1 0 98:1 /  rw - ext4 x rw",
        "1 0 98 / /m rw - ext4 x rw",
        "1 0 98: / /m rw - ext4 x rw",
        "1 0 :1 / /m rw - ext4 x rw",
        "1 0 -98:1 / /m rw - ext4 x rw",
        "1 0 98:1:1 / /m rw - ext4 x rw",
        "1 0 98:4294967296 / /m rw - ext4 x rw",
        "1 0 98:1 / /m rw -- ext4 x rw",
        "1 0 0:9 / /m rw - btrfs /dev/null rw",
        "1 0 0:9 / /m rw - btrfs / rw",
    };

    for (guint i = 0; i < G_N_ELEMENTS(lines); i++)
        assert_mounts(os_mounts_add_info, lines[i], "");
}
END_TEST

START_TEST(the_mounts_file_tells_no_devices)
{
    assert_mounts(os_mounts_add_mtab,
                  "/no/such /a ext4 rw 0 0|/dev/null /b xfs rw 0 0|/ /c ext4 rw 0 0",
                  "/a ext4 0:0");
    assert_mounts(os_mounts_add_mtab, "proc /proc proc rw 0 0|tmpfs /t tmpfs rw 0 0|/a|/a /b", "");
    assert_mounts(os_mounts_add_mtab, "/no/such /a cifs rw 0 0|/no/such /b smbfs rw 0 0", "");
    assert_mounts(os_mounts_add_mtab, "/no/such /a\\040b ext4", "/a b ext4 0:0");
}
END_TEST

static void
sink_write(gpointer sink, const char *line)
{
    g_ptr_array_add(sink, g_strdup(line));
}

static void
sink_free(G_GNUC_UNUSED gpointer sink)
{
}

START_TEST(a_missing_device_of_btrfs_is_logged_later)
{
    static const GaAccountSink functions = { sink_write, sink_free };
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    GaAccount *account = ga_account_new(&functions, lines);
    g_autoptr(OsMounts) mounts = os_mounts_new();

    os_mounts_add_info(mounts, "1 0 0:9 / /a rw - btrfs /no/such\\040device rw");
    os_mounts_add_info(mounts, "1 0 0:9 / /b rw - btrfs /dev/null rw");
    os_mounts_add_info(mounts, "1 0 0:9 / /c rw - btrfs / rw");
    ck_assert_uint_eq(lines->len, 0);
    os_mounts_account(mounts, account, "guest-fstrim");
    ck_assert_uint_eq(lines->len, 1);
    ck_assert_str_eq(lines->pdata[0], "info: failed to stat device file '/no/such device': "
                                      "No such file or directory");
    ga_account_free(account);
}
END_TEST

START_TEST(forty_thousand_mounts_are_read_at_once)
{
    g_autoptr(OsMounts) mounts = os_mounts_new();
    gint64 start = g_get_monotonic_time();

    for (guint i = 0; i < 40000; i++) {
        char line[100];
        g_snprintf(line, sizeof line, "%u 1 98:%u / /m/%u rw - ext4 /dev/x rw\n", i, i / 2, i);
        os_mounts_add_info(mounts, line);
    }
    ck_assert_uint_eq(mounts->list->len, 20000);
    ck_assert_int_lt(g_get_monotonic_time() - start, 2 * G_USEC_PER_SEC);
}
END_TEST

START_TEST(this_system_has_a_table)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(OsMounts) mounts = os_mounts_read(&error);

    ck_assert_ptr_nonnull(mounts);
    for (guint i = 0; i < mounts->list->len; i++) {
        const OsMount *mount = mounts->list->pdata[i];
        ck_assert_uint_ne(mount->major, 0);
        ck_assert_int_eq(mount->directory[0], '/');
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("mounts");
    TCase *tcase = tcase_create("mounts");

    tcase_add_test(tcase, only_the_first_mount_of_a_block_device_counts);
    tcase_add_test(tcase, other_lines_of_mountinfo_are_skipped);
    tcase_add_test(tcase, the_mounts_file_tells_no_devices);
    tcase_add_test(tcase, a_missing_device_of_btrfs_is_logged_later);
    tcase_add_test(tcase, forty_thousand_mounts_are_read_at_once);
    tcase_add_test(tcase, this_system_has_a_table);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
