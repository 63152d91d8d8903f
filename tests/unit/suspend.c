/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guest-suspend-*, over programs and a kernel that do what the test says. */
#include "linux/power-state.h"

#include <string.h>

#include "fake-process.h"
#include "runner.h"
#include "runtime/qapi-error.h"
#include "table-agent.h"

#define UNSUPPORTED                                        \
    "{\"error\": {\"class\": \"GenericError\", \"desc\": " \
    "\"the requested suspend mode is not supported by the guest\"}}\n"

/* What the kernel knows. */
static const char *kernel_words;
static gboolean kernel_refuses;
static const char *entered;

gboolean
os_power_state_enter(const char *word, GError **error)
{
    if (!strstr(kernel_words, word))
        return FALSE;
    if (kernel_refuses) {
        qapi_set_error(error, "suspend: refused");
        return FALSE;
    }
    entered = word;
    return TRUE;
}

/* Exit codes in the order of the four programs. */
static const gint *codes;

static gint
program(const char *line)
{
    guint n = (g_str_has_prefix(line, "pm-") ? 2 : 0) +
              (strstr(line, "status ") || strstr(line, "-is-") ? 0 : 1);

    return codes[n];
}

static void
assert_suspend(const char *mode, const gint *program_codes, const char *reply, const char *calls)
{
    g_autoptr(TableAgent) agent = table_agent_new();
    g_autofree char *request = g_strdup_printf("{\"execute\": \"guest-suspend-%s\"}", mode);

    codes = program_codes;
    entered = NULL;
    fake_process_set(program);
    g_autofree char *got = table_agent_ask(agent, request);
    ck_assert_str_eq(got, reply);
    if (calls)
        ck_assert_str_eq(fake_process_calls(), calls);
}

static void
setup(void)
{
    kernel_words = "";
    kernel_refuses = FALSE;
}

enum { NONE = FAKE_PROCESS_MISSING, KILLED = FAKE_PROCESS_KILLED };

START_TEST(systemd_comes_first_and_its_service_must_be_known_but_idle)
{
    static const char both[] = "systemctl status systemd-hibernate\nsystemctl hibernate\n";
    static const struct {
        gint code;
        gboolean is_possible;
    } cases[] = { { 0, FALSE }, { 1, TRUE },    { 2, TRUE },       { 3, TRUE },
                  { 4, FALSE }, { 255, FALSE }, { KILLED, FALSE }, { NONE, FALSE } };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        gint program_codes[] = { cases[i].code, 0, NONE, NONE };

        assert_suspend("disk", program_codes, cases[i].is_possible ? "" : UNSUPPORTED,
                       cases[i].is_possible ? both : NULL);
    }
}
END_TEST

START_TEST(pm_utils_come_second)
{
    static const gint program_codes[] = { NONE, NONE, 0, 0 };

    assert_suspend("hybrid", program_codes, "",
                   "systemctl status systemd-hybrid-sleep\n"
                   "pm-is-supported --suspend-hybrid\npm-suspend-hybrid\n");
}
END_TEST

START_TEST(the_kernel_comes_last)
{
    static const gint program_codes[] = { 3, 1, 0, 1 };

    kernel_words = "freeze mem disk\n";
    assert_suspend("ram", program_codes, "",
                   "systemctl status systemd-suspend\nsystemctl suspend\n"
                   "pm-is-supported --suspend\npm-suspend\n");
    ck_assert_str_eq(entered, "mem");
    assert_suspend("disk", program_codes, "", NULL);
    ck_assert_str_eq(entered, "disk");
}
END_TEST

START_TEST(an_action_that_dies_of_a_signal_has_done_it)
{
    static const gint program_codes[] = { 3, KILLED, 0, 0 };

    assert_suspend("ram", program_codes, "",
                   "systemctl status systemd-suspend\nsystemctl suspend\n");
}
END_TEST

START_TEST(what_was_possible_but_failed_is_no_error)
{
    static const gint by_systemd[] = { 1, 1, 1, 0 }, by_pm[] = { 4, 0, 0, NONE };

    assert_suspend("ram", by_systemd, "", NULL);
    assert_suspend("disk", by_pm, "", NULL);
}
END_TEST

START_TEST(but_of_hybrid_it_is)
{
    static const gint program_codes[] = { 1, 1, 1, 0 };

    assert_suspend("hybrid", program_codes,
                   "{\"error\": {\"class\": \"GenericError\", \"desc\": "
                   "\"unknown guest suspend mode\"}}\n",
                   NULL);
}
END_TEST

START_TEST(nothing_possible_is_an_error)
{
    static const gint program_codes[] = { NONE, NONE, NONE, NONE };

    assert_suspend("disk", program_codes, UNSUPPORTED, NULL);
    assert_suspend("ram", program_codes, UNSUPPORTED, NULL);
    assert_suspend("hybrid", program_codes, UNSUPPORTED, NULL);
}
END_TEST

START_TEST(a_kernel_that_refuses_is_an_error)
{
    static const gint program_codes[] = { 3, 1, NONE, NONE };

    kernel_words = "mem";
    kernel_refuses = TRUE;
    assert_suspend("ram", program_codes,
                   "{\"error\": {\"class\": \"GenericError\", \"desc\": \"suspend: refused\"}}\n",
                   NULL);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("suspend");
    TCase *tcase = tcase_create("suspend");

    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, systemd_comes_first_and_its_service_must_be_known_but_idle);
    tcase_add_test(tcase, pm_utils_come_second);
    tcase_add_test(tcase, the_kernel_comes_last);
    tcase_add_test(tcase, an_action_that_dies_of_a_signal_has_done_it);
    tcase_add_test(tcase, what_was_possible_but_failed_is_no_error);
    tcase_add_test(tcase, but_of_hybrid_it_is);
    tcase_add_test(tcase, nothing_possible_is_an_error);
    tcase_add_test(tcase, a_kernel_that_refuses_is_an_error);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
