/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guest-shutdown, over programs that do what the test says. */
#include "platform/power.h"

#include "fake-process.h"
#include "runner.h"
#include "table-agent.h"

char *const *
os_power_command(OsPowerAction action)
{
    static char *const commands[][2] = {
        [OS_POWER_OFF] = { "off" }, [OS_POWER_HALT] = { "halt" }, [OS_POWER_REBOOT] = { "reboot" }
    };

    return commands[action];
}

static gint
succeeds(G_GNUC_UNUSED const char *line)
{
    return 0;
}

static gint
fails(G_GNUC_UNUSED const char *line)
{
    return 3;
}

static gint
is_missing(G_GNUC_UNUSED const char *line)
{
    return FAKE_PROCESS_MISSING;
}

static void
assert_shutdown(FakeProgram program, const char *arguments, const char *reply, const char *calls)
{
    g_autoptr(TableAgent) agent = table_agent_new();
    g_autofree char *request = g_strdup_printf(
        "{\"execute\": \"guest-shutdown\", \"arguments\": {%s}}", arguments);

    fake_process_set(program);
    g_autofree char *got = table_agent_ask(agent, request);
    ck_assert_str_eq(got, reply);
    ck_assert_str_eq(fake_process_calls(), calls);
}

START_TEST(a_mode_is_a_program_and_success_is_silent)
{
    assert_shutdown(succeeds, "", "", "off\n");
    assert_shutdown(succeeds, "\"mode\": \"powerdown\"", "", "off\n");
    assert_shutdown(succeeds, "\"mode\": \"halt\"", "", "halt\n");
    assert_shutdown(succeeds, "\"mode\": \"reboot\"", "", "reboot\n");
}
END_TEST

START_TEST(another_mode_runs_nothing)
{
    static const char *const modes[] = { "", "poweroff", "HALT", "halt " };

    for (guint i = 0; i < G_N_ELEMENTS(modes); i++) {
        g_autofree char *arguments = g_strdup_printf("\"mode\": \"%s\"", modes[i]);

        assert_shutdown(succeeds, arguments,
                        "{\"error\": {\"class\": \"GenericError\", \"desc\": \"mode is invalid "
                        "(valid values are: halt|powerdown|reboot\"}}\n",
                        "");
    }
}
END_TEST

START_TEST(a_failure_is_told)
{
    assert_shutdown(fails, "",
                    "{\"error\": {\"class\": \"GenericError\", \"desc\": \"child process has "
                    "failed to shutdown: exit status 3\"}}\n",
                    "off\n");
    assert_shutdown(is_missing, "",
                    "{\"error\": {\"class\": \"GenericError\", \"desc\": \"child process has "
                    "failed to shutdown: failed to exec 'off': No such file or directory\\n\"}}\n",
                    "off\n");
}
END_TEST

/* The agent is about to be ended by what has just ended the program. */
START_TEST(a_failure_is_not_told_at_once)
{
    g_autoptr(TableAgent) agent = table_agent_new();
    gint64 began = g_get_monotonic_time();

    fake_process_set(fails);
    g_autofree char *got = table_agent_ask(agent, "{\"execute\": \"guest-shutdown\"}");
    ck_assert_ptr_nonnull(got);
    ck_assert_int_ge(g_get_monotonic_time() - began, G_USEC_PER_SEC / 4);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("shutdown");
    TCase *tcase = tcase_create("shutdown");

    tcase_add_test(tcase, a_mode_is_a_program_and_success_is_silent);
    tcase_add_test(tcase, another_mode_runs_nothing);
    tcase_add_test(tcase, a_failure_is_told);
    tcase_add_test(tcase, a_failure_is_not_told_at_once);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
