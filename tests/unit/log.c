/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The log, into a file of the test's own. */
#include "core/log.h"

#include <glib/gstdio.h>

#include "runner.h"

typedef struct {
    char *path;
    GaLog *log;
} Fixture;

static Fixture *
fixture_new(gboolean is_verbose)
{
    Fixture *fixture = g_new0(Fixture, 1);
    gint fd = g_file_open_tmp("log-XXXXXX", &fixture->path, NULL);

    ck_assert_int_ge(fd, 0);
    g_close(fd, NULL);
    fixture->log = ga_log_new(is_verbose);
    ck_assert(ga_log_open(fixture->log, fixture->path, NULL));
    return fixture;
}

static void
fixture_free(Fixture *fixture)
{
    ga_log_free(fixture->log);
    g_unlink(fixture->path);
    g_free(fixture->path);
    g_free(fixture);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Fixture, fixture_free)

/* What the log holds, with the times, if they look like upstream's, taken away. */
static void
assert_lines(const Fixture *fixture, const char *expected)
{
    g_autofree char *text = NULL;

    ck_assert(g_file_get_contents(fixture->path, &text, NULL, NULL));
    g_autoptr(GRegex) time = g_regex_new("^[0-9]{10}\\.[0-9]{6}: ", G_REGEX_MULTILINE, 0, NULL);
    g_autofree char *lines = g_regex_replace_literal(time, text, -1, 0, "", 0, NULL);
    ck_assert_str_eq(lines, expected);
}

static void
say_everything(void)
{
    g_critical("one");
    g_warning("two");
    g_message("three");
    g_info("four");
    g_debug("five %d", 5);
}

#define EVERYTHING "critical: one\nwarning: two\nmessage: three\ninfo: four\ndebug: five 5\n"

START_TEST(only_what_is_critical_passes)
{
    g_autoptr(Fixture) fixture = fixture_new(FALSE);

    say_everything();
    assert_lines(fixture, "critical: one\n");
}
END_TEST

START_TEST(verbose_lets_all_pass)
{
    g_autoptr(Fixture) fixture = fixture_new(TRUE);

    say_everything();
    assert_lines(fixture, EVERYTHING);
}
END_TEST

START_TEST(the_level_changes_at_any_time)
{
    g_autoptr(Fixture) fixture = fixture_new(FALSE);

    ga_log_set_verbose(fixture->log, TRUE);
    say_everything();
    ga_log_set_verbose(fixture->log, FALSE);
    say_everything();
    assert_lines(fixture, EVERYTHING "critical: one\n");
}
END_TEST

START_TEST(while_muted_nothing_is_written)
{
    g_autoptr(Fixture) fixture = fixture_new(TRUE);

    ga_log_set_muted(fixture->log, TRUE);
    say_everything();
    ga_log_set_muted(fixture->log, FALSE);
    g_warning("again");
    assert_lines(fixture, "warning: again\n");
}
END_TEST

START_TEST(a_file_is_appended_to)
{
    g_autoptr(Fixture) fixture = fixture_new(FALSE);

    g_critical("first");
    ck_assert(ga_log_open(fixture->log, fixture->path, NULL));
    g_critical("second");
    assert_lines(fixture, "critical: first\ncritical: second\n");
}
END_TEST

START_TEST(a_file_that_cannot_be_opened_changes_nothing)
{
    g_autoptr(Fixture) fixture = fixture_new(FALSE);
    g_autoptr(GError) error = NULL;

    ck_assert(!ga_log_open(fixture->log, "/nonexistent/log", &error));
    ck_assert_str_eq(error->message,
                     "unable to open specified log file: No such file or directory");
    g_critical("still here");
    assert_lines(fixture, "critical: still here\n");
}
END_TEST

START_TEST(a_chain_is_one_line_each)
{
    g_autoptr(Fixture) fixture = fixture_new(FALSE);

    ga_log_chain("cause\nconsequence");
    assert_lines(fixture, "critical: cause\ncritical: consequence\n");
}
END_TEST

static gpointer
say_much(G_GNUC_UNUSED gpointer data)
{
    for (guint i = 0; i < 1000; i++)
        g_critical("a line that is not torn");
    return NULL;
}

START_TEST(lines_of_several_threads_are_whole)
{
    g_autoptr(Fixture) fixture = fixture_new(FALSE);
    g_autoptr(GString) expected = g_string_new(NULL);

    GThread *thread = g_thread_new("other", say_much, NULL);
    say_much(NULL);
    g_thread_join(thread);
    for (guint i = 0; i < 2000; i++)
        g_string_append(expected, "critical: a line that is not torn\n");
    assert_lines(fixture, expected->str);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("log");
    TCase *tcase = tcase_create("log");

    tcase_add_test(tcase, only_what_is_critical_passes);
    tcase_add_test(tcase, verbose_lets_all_pass);
    tcase_add_test(tcase, the_level_changes_at_any_time);
    tcase_add_test(tcase, while_muted_nothing_is_written);
    tcase_add_test(tcase, a_file_is_appended_to);
    tcase_add_test(tcase, a_file_that_cannot_be_opened_changes_nothing);
    tcase_add_test(tcase, a_chain_is_one_line_each);
    tcase_add_test(tcase, lines_of_several_threads_are_whole);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
