/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Real programs; the texts are those of qemu-ga 11.1.3. */
#include "commands/helper.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "runner.h"

typedef struct {
    gboolean is_done;
    GError *error;
} Outcome;

static void
done(GError *error, gpointer user_data)
{
    Outcome *outcome = user_data;

    ck_assert(!outcome->is_done);
    outcome->is_done = TRUE;
    outcome->error = error;
}

/* The error's text; "" if there is none. */
static char *
run(const char *const *argv, const char *input, guint time_limit_ms)
{
    Outcome outcome = { FALSE, NULL };
    GaHelperSpec spec = { .argv = (char *const *)(gsize)argv,
                          .input = input,
                          .action = "do it",
                          .time_limit_ms = time_limit_ms };

    ga_helper_run(&spec, done, &outcome);
    while (!outcome.is_done)
        g_main_context_iteration(NULL, TRUE);

    char *text = g_strdup(outcome.error ? outcome.error->message : "");
    g_clear_error(&outcome.error);
    return text;
}

static void
assert_shell(const char *script, const char *input, guint time_limit_ms, const char *expected)
{
    const char *const argv[] = { "sh", "-c", script, NULL };
    g_autofree char *text = run(argv, input, time_limit_ms);

    ck_assert_str_eq(text, expected);
}

START_TEST(success_has_no_text_whatever_is_printed)
{
    assert_shell("echo hello", NULL, 0, "");
}
END_TEST

START_TEST(what_a_failing_program_prints_is_the_error)
{
    assert_shell("echo out; echo err >&2; exit 3", NULL, 0,
                 "child process has failed to do it: out\nerr\n");
    assert_shell("exit 3", NULL, 0, "child process has failed to do it: exit status 3");
    assert_shell("kill -9 $$", NULL, 0, "child process has terminated abnormally");
    assert_shell("echo dying; kill -9 $$", NULL, 0,
                 "child process has terminated abnormally: dying\n");
}
END_TEST

START_TEST(a_program_that_is_missing_is_named)
{
    const char *const argv[] = { "/no/such/program", "argument", NULL };
    g_autofree char *text = run(argv, NULL, 0);

    ck_assert_str_eq(text, "child process has failed to do it: failed to exec "
                           "'/no/such/program': No such file or directory\n");
}
END_TEST

START_TEST(input_is_delivered_and_ends)
{
    assert_shell("test \"$(cat)\" = secret", "secret\n", 0, "");
    assert_shell("test -z \"$(cat)\"", NULL, 0, "");
}
END_TEST

START_TEST(much_input_that_is_not_read_is_an_error_and_little_is_not)
{
    g_autofree char *much = g_strnfill(1 << 20, 'x');

    for (guint i = 0; i < 20; i++) {
        assert_shell("exit 0", "little", 0, "");
        assert_shell("exit 0", much, 0, "do it: cannot write to stdin pipe: Broken pipe");
        assert_shell("exit 1", much, 0, "do it: cannot write to stdin pipe: Broken pipe");
    }
    assert_shell("cat > /dev/null", much, 0, "");
}
END_TEST

START_TEST(a_program_leads_a_session_of_its_own)
{
    assert_shell("test \"$(cut -d' ' -f6 /proc/$$/stat)\" = $$", NULL, 0, "");
}
END_TEST

START_TEST(endless_output_does_not_become_an_endless_text)
{
    const char *const argv[] = { "sh", "-c", "head -c 1000000 /dev/zero | tr '\\0' x; exit 1",
                                 NULL };
    g_autofree char *text = run(argv, NULL, 0);

    ck_assert_uint_ge(strlen(text), 60000);
    ck_assert_uint_le(strlen(text), 70000);
}
END_TEST

/* Or tried again until somebody else has reaped it. */
static void
assert_gone(gint pid)
{
    for (guint i = 0; i < 1000 && kill(pid, 0) == 0; i++)
        g_usleep(10000);
    ck_assert_int_eq(kill(pid, 0), -1);
    ck_assert_int_eq(errno, ESRCH);
}

START_TEST(a_time_limit_ends_it_and_all_that_it_started)
{
    const char *const argv[] = { "sh", "-c", "sleep 1000 & echo $!; wait", NULL };
    const char expected[] = "child process has failed to do it: no end within 300 ms: ";
    g_autofree char *text = run(argv, NULL, 300);

    ck_assert(g_str_has_prefix(text, expected));
    gint pid = atoi(text + strlen(expected));
    ck_assert_int_gt(pid, 1);
    assert_gone(pid);
}
END_TEST

START_TEST(a_quick_program_does_not_meet_its_limit)
{
    assert_shell("exit 0", NULL, 60000, "");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("helper");
    TCase *tcase = tcase_create("helper");

    signal(SIGPIPE, SIG_IGN);
    tcase_add_test(tcase, success_has_no_text_whatever_is_printed);
    tcase_add_test(tcase, what_a_failing_program_prints_is_the_error);
    tcase_add_test(tcase, a_program_that_is_missing_is_named);
    tcase_add_test(tcase, input_is_delivered_and_ends);
    tcase_add_test(tcase, much_input_that_is_not_read_is_an_error_and_little_is_not);
    tcase_add_test(tcase, a_program_leads_a_session_of_its_own);
    tcase_add_test(tcase, endless_output_does_not_become_an_endless_text);
    tcase_add_test(tcase, a_time_limit_ends_it_and_all_that_it_started);
    tcase_add_test(tcase, a_quick_program_does_not_meet_its_limit);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
