/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of a file, and their columns. */
#include "linux/lines.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#include "runner.h"

#define LONG 40000 /* more than fits in the reader */

/* Gets the lines in brackets, long ones as their length; stops at "stop". */
static gboolean
collect(gpointer owner, const char *line)
{
    GString *text = owner;

    if (strlen(line) > 100)
        g_string_append_printf(text, "[%u]", (guint)strlen(line));
    else
        g_string_append_printf(text, "[%s]", line);
    return strcmp(line, "stop") != 0;
}

static char *
lines_of(const char *data, gssize size)
{
    g_autofree char *folder = g_dir_make_tmp("lines-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "file", NULL);
    g_autoptr(GString) text = g_string_new(NULL);

    ck_assert(g_file_set_contents(path, data, size, NULL));
    ck_assert(os_lines_read(path, collect, text));
    g_unlink(path);
    g_rmdir(folder);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

START_TEST(lines_come_without_newlines_and_end_at_a_nul)
{
    static const struct {
        const char *data;
        gssize size;
        const char *lines;
    } cases[] = {
        { "", 0, "" },
        { "\n", 1, "[]" },
        { "a\nb", 3, "[a][b]" },
        { "a\n\nb\n", 5, "[a][][b]" },
        { "a\0b\nc\n", 6, "[a][c]" },
        { "\0\n\0", 3, "[][]" },
        { "a\nstop\nb\n", 9, "[a][stop]" },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *lines = lines_of(cases[i].data, cases[i].size);
        ck_assert_str_eq(lines, cases[i].lines);
    }
}
END_TEST

START_TEST(of_a_long_line_the_beginning_comes_once)
{
    g_autofree char *line = g_strnfill(LONG, 'x');
    g_autofree char *data = g_strdup_printf("a\n%s\nb\n%s", line, line);
    g_autofree char *lines = lines_of(data, -1);

    ck_assert_str_eq(lines, "[a][16384][b][16384]");
}
END_TEST

START_TEST(no_length_is_lost_at_the_end_of_a_piece)
{
    for (gsize length = 16380; length < 16390; length++) {
        g_autofree char *line = g_strnfill(length, 'x');
        g_autofree char *data = g_strdup_printf("%s\nb\n%s\nc", line, line);
        g_autofree char *lines = lines_of(data, -1);
        gsize shown = MIN(length, 16384);
        g_autofree char *expected = g_strdup_printf(
            "[%" G_GSIZE_FORMAT "][b][%" G_GSIZE_FORMAT "][c]", shown, shown);
        ck_assert_str_eq(lines, expected);
    }
}
END_TEST

START_TEST(a_file_that_is_not_there_is_an_error_and_one_that_cannot_be_read_is_empty)
{
    g_autoptr(GString) text = g_string_new(NULL);

    ck_assert(!os_lines_read("/nonexistent/file", collect, text));
    ck_assert_int_eq(errno, ENOENT);
    ck_assert(os_lines_read("/", collect, text));
    ck_assert_str_eq(text->str, "");
}
END_TEST

START_TEST(columns_are_taken_as_scanf_takes_them)
{
    const char *line = " \t\v12x 0x1F -5 99999999999999999999 -99999999999999999999 abcdef g ";
    guint64 number;
    gint64 signed_number;

    ck_assert(os_column_unsigned(&line, 10, &number) && number == 12);
    ck_assert(!os_column_unsigned(&line, 10, &number));
    g_autofree char *x = os_column_word(&line, G_MAXSIZE);
    ck_assert_str_eq(x, "x");
    ck_assert(os_column_unsigned(&line, 16, &number) && number == 0x1f);
    ck_assert(os_column_unsigned(&line, 10, &number) && number == G_MAXUINT64 - 4);
    ck_assert(os_column_unsigned(&line, 10, &number) && number == G_MAXUINT64);
    ck_assert(os_column_signed(&line, 10, &signed_number) && signed_number == G_MININT64);
    g_autofree char *abcd = os_column_word(&line, 4);
    g_autofree char *ef = os_column_word(&line, 4);
    g_autofree char *g = os_column_word(&line, 4);
    ck_assert_str_eq(abcd, "abcd");
    ck_assert_str_eq(ef, "ef");
    ck_assert_str_eq(g, "g");
    ck_assert_ptr_null(os_column_word(&line, 4));
    ck_assert(!os_column_signed(&line, 10, &signed_number));
}
END_TEST

START_TEST(numbers_end_at_what_is_none)
{
    const char *line = "1 2 3 x 4";
    guint64 numbers[5];

    ck_assert_uint_eq(os_column_numbers(&line, numbers, 2), 2);
    ck_assert_uint_eq(os_column_numbers(&line, numbers, 5), 1);
    ck_assert_uint_eq(numbers[0], 3);
    ck_assert_str_eq(line, " x 4");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("lines");
    TCase *tcase = tcase_create("lines");

    tcase_add_test(tcase, lines_come_without_newlines_and_end_at_a_nul);
    tcase_add_test(tcase, of_a_long_line_the_beginning_comes_once);
    tcase_add_test(tcase, no_length_is_lost_at_the_end_of_a_piece);
    tcase_add_test(tcase,
                   a_file_that_is_not_there_is_an_error_and_one_that_cannot_be_read_is_empty);
    tcase_add_test(tcase, columns_are_taken_as_scanf_takes_them);
    tcase_add_test(tcase, numbers_end_at_what_is_none);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
