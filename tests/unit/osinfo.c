/* SPDX-License-Identifier: GPL-2.0-or-later */
/* os-release files and what becomes of them; the answers are those of qemu-ga 11.1.3. */
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "gen/guest-agent-commands.h"
#include "runner.h"
#include "toy-agent.h"

static GuestOSInfo *
info_of_path(const char *path)
{
    g_autoptr(Toy) toy = toy_new(NULL, NULL);
    GuestOSInfo *info;

    g_setenv("QGA_OS_RELEASE", path, TRUE);
    info = guest_get_osinfo(toy->agent, NULL);
    g_unsetenv("QGA_OS_RELEASE");
    ck_assert_ptr_nonnull(info);
    return info;
}

static GuestOSInfo *
info_of(const char *text, gssize size)
{
    g_autofree char *folder = g_dir_make_tmp("osinfo-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "os-release", NULL);

    ck_assert(g_file_set_contents(path, text, size, NULL));
    GuestOSInfo *info = info_of_path(path);
    g_unlink(path);
    g_rmdir(folder);
    return info;
}

START_TEST(a_value_loses_what_upstream_takes_for_quotes)
{
    static const struct {
        const char *text, *id;
    } cases[] = {
        { "ID=x\n", "x" },
        { "ID=x", "x" },
        { "ID=x\r\n", "x" },
        { " ID\t=\tx \n", "x" },
        { "ID=\n", "" },
        { "ID=\"\"\n", "" },
        { "ID=\"a b\"\n", "a b" },
        { "ID=\"x\"tail\n", "x" },
        { "ID=\"a\\nb\\\"c\\$d\\`e\\'f\\\\g\"\n", "a\\nb\"c$d`e'f\\g" },
        { "ID='a b'\n", "'a" },
        { "ID=abc  def\n", "abc" },
        { "ID=a;b\n", "a" },
        { "ID=a\tb\n", "a\tb" },
        { "ID=a\\sb\n", "a\\sb" },
        { "ID=\"a\xc3\xa4\"\n", "a\xc3\xa4" },
        /* Upstream repeats the last character of these. */
        { "ID=\"abc\n", "abc" },
        { "ID=\"abc   \n", "abc   " },
        { "ID=\"a\\\n", "a\\" },
        { "ID=\"\n", "" },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GuestOSInfo) info = info_of(cases[i].text, -1);
        ck_assert_pstr_eq(info->id, cases[i].id);
    }
}
END_TEST

START_TEST(lines_that_upstream_passes_over)
{
    static const char *const texts[] = {
        "  # c\nID=x\n",
        "\n \t\nID=x\n",
        "ID=y\nID=x\n",
        "ID=x\nexport ID=y\n",
        "ID=x\nID[de]=y\n",
        "ID=x\n  [group]  \nID=y\n",
        "[group]\n[os-release]\nID=x\n",
        "ID=x\n;c=1\n",
    };

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GuestOSInfo) info = info_of(texts[i], -1);
        ck_assert_pstr_eq(info->id, "x");
    }
}
END_TEST

START_TEST(one_odd_line_makes_the_whole_file_void)
{
    static const char *const texts[] = {
        "ID=x\nfoo\n",      "ID=x\n=1\n",         "ID=x\n =1\n",       "ID=x\nA]b=1\n",
        "ID=x\n[g\nA=1\n",  "ID=x\n[]\nA=1\n",    "ID=x\n[g] junk\n",  "ID=x\n[g]\nfoo\n",
        "ID=x\n;comment\n", "\xef\xbb\xbfID=x\n", "ID=x\nNAME=\xff\n",
    };

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GuestOSInfo) info = info_of(texts[i], -1);
        ck_assert_pstr_eq(info->id, NULL);
    }
}
END_TEST

START_TEST(each_key_has_its_member)
{
    g_autoptr(GuestOSInfo) info = info_of("ID=1\nNAME=2\nPRETTY_NAME=3\nVERSION=4\nVERSION_ID=5\n"
                                          "VARIANT=6\nVARIANT_ID=7\nBUILD_ID=8\n",
                                          -1);

    ck_assert_pstr_eq(info->id, "1");
    ck_assert_pstr_eq(info->name, "2");
    ck_assert_pstr_eq(info->pretty_name, "3");
    ck_assert_pstr_eq(info->version, "4");
    ck_assert_pstr_eq(info->version_id, "5");
    ck_assert_pstr_eq(info->variant, "6");
    ck_assert_pstr_eq(info->variant_id, "7");
}
END_TEST

START_TEST(the_kernel_tells_the_rest)
{
    g_autoptr(GuestOSInfo) info = info_of_path("/no/such/file");
    struct utsname kernel;

    uname(&kernel);
    ck_assert_pstr_eq(info->kernel_release, kernel.release);
    ck_assert_pstr_eq(info->kernel_version, kernel.version);
    ck_assert_pstr_eq(info->machine, kernel.machine);
    ck_assert_pstr_eq(info->id, NULL);
}
END_TEST

START_TEST(what_is_no_small_regular_file_is_left_alone)
{
    g_autofree char *folder = g_dir_make_tmp("osinfo-XXXXXX", NULL);
    g_autofree char *fifo = g_build_filename(folder, "fifo", NULL);
    g_autofree char *padding = g_strnfill(64 * 1024, '\n');
    g_autofree char *large = g_strconcat("ID=x\n", padding, NULL);

    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    g_autoptr(GuestOSInfo) fifo_info = info_of_path(fifo);
    g_autoptr(GuestOSInfo) folder_info = info_of_path(folder);
    g_autoptr(GuestOSInfo) large_info = info_of(large, -1);
    g_autoptr(GuestOSInfo) full_info = info_of(large, 64 * 1024);
    ck_assert_pstr_eq(fifo_info->id, NULL);
    ck_assert_pstr_eq(folder_info->id, NULL);
    ck_assert_pstr_eq(large_info->id, NULL);
    ck_assert_pstr_eq(full_info->id, "x");
    g_unlink(fifo);
    g_rmdir(folder);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("osinfo");
    TCase *tcase = tcase_create("osinfo");

    tcase_add_test(tcase, a_value_loses_what_upstream_takes_for_quotes);
    tcase_add_test(tcase, lines_that_upstream_passes_over);
    tcase_add_test(tcase, one_odd_line_makes_the_whole_file_void);
    tcase_add_test(tcase, each_key_has_its_member);
    tcase_add_test(tcase, the_kernel_tells_the_rest);
    tcase_add_test(tcase, what_is_no_small_regular_file_is_left_alone);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
