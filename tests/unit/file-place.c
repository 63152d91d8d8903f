/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "extensions/file/place.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/refusal.h"
#include "runner.h"

START_TEST(a_path_is_absolute_and_ends_with_its_name)
{
    static const struct {
        const char *path;
        const char *expected; /* NULL: refused */
    } cases[] = {
        { "/a/b", "/a/b" }, { "/a/b///", "/a/b" }, { "/", "/" },    { "///", "/" },
        { "a", NULL },      { "", NULL },          { "./a", NULL },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GaPlace) place = ga_place_new(cases[i].path, NULL, &error);

        if (cases[i].expected)
            ck_assert_str_eq(place->path, cases[i].expected);
        else
            ck_assert_int_eq(ga_refusal_of(error), GA_REFUSAL_BAD_VALUE);
    }
}
END_TEST

START_TEST(what_has_no_name_in_a_folder_has_no_parent)
{
    static const char *const cases[] = { "/", "/..", "/tmp/.", "/tmp/../" };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GaPlace) place = ga_place_new(cases[i], NULL, NULL);
        const char *name;

        ck_assert_int_eq(ga_place_find_parent(place, &name, &error), -1);
        ck_assert_int_eq(ga_refusal_of(error), GA_REFUSAL_BAD_VALUE);
    }
}
END_TEST

/* The umask has no say; a link that leads nowhere makes no file. */
START_TEST(a_new_file_has_the_mode_that_was_asked_for)
{
    g_autofree char *folder = g_dir_make_tmp(NULL, NULL);
    g_autofree char *path = g_build_filename(folder, "new", NULL);
    g_autofree char *link = g_build_filename(folder, "link", NULL);
    g_autoptr(GaPlace) place = ga_place_new(path, NULL, NULL);
    g_autoptr(GaPlace) dangling = ga_place_new(link, NULL, NULL);
    g_autoptr(GError) error = NULL;
    struct stat status;

    ck_assert_int_eq(symlink("nowhere", link), 0);
    umask(077);
    GaFd fd = ga_place_open_or_create(place, O_WRONLY, 0666, NULL);
    ck_assert_int_eq(fstat(fd, &status), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0666);
    close(fd);
    fd = ga_place_open_or_create(place, O_WRONLY, 0600, NULL);
    ck_assert_int_eq(fstat(fd, &status), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0666);
    close(fd);
    ck_assert_int_eq(ga_place_open_or_create(dangling, O_WRONLY, 0666, &error), -1);
    ck_assert_int_eq(ga_refusal_of(error), GA_REFUSAL_EXISTS);
    ck_assert_int_eq(g_unlink(link) | g_unlink(path) | g_rmdir(folder), 0);
}
END_TEST

START_TEST(only_regular_files_are_opened)
{
    g_autofree char *folder = g_dir_make_tmp(NULL, NULL);
    g_autofree char *path = g_build_filename(folder, "fifo", NULL);
    g_autoptr(GaPlace) place = ga_place_new(path, NULL, NULL);
    g_autoptr(GError) error = NULL;

    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(ga_place_open(place, O_RDONLY, &error), -1);
    ck_assert_int_eq(ga_refusal_of(error), GA_REFUSAL_BAD_VALUE);
    ck_assert_int_eq(g_unlink(path) | g_rmdir(folder), 0);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("file-place");
    TCase *tests = tcase_create("file-place");

    tcase_add_test(tests, a_path_is_absolute_and_ends_with_its_name);
    tcase_add_test(tests, what_has_no_name_in_a_folder_has_no_parent);
    tcase_add_test(tests, a_new_file_has_the_mode_that_was_asked_for);
    tcase_add_test(tests, only_regular_files_are_opened);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
