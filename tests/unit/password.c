/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guest-set-user-password, over a program that is none. */
#include "fake-process.h"
#include "runner.h"
#include "table-agent.h"

#define FORBIDDEN(what) \
    "{\"error\": {\"class\": \"GenericError\", \"desc\": \"forbidden characters in " what "\"}}\n"

static gint
succeeds(G_GNUC_UNUSED const char *line)
{
    return 0;
}

static gint
fails(G_GNUC_UNUSED const char *line)
{
    return 1;
}

static char *
ask(FakeProgram program, const char *user, const char *password, gboolean is_crypted)
{
    g_autoptr(TableAgent) agent = table_agent_new();
    g_autofree char *request = g_strdup_printf(
        "{\"execute\": \"guest-set-user-password\", \"arguments\": {\"username\": \"%s\", "
        "\"password\": \"%s\", \"crypted\": %s}}",
        user, password, is_crypted ? "true" : "false");

    fake_process_set(program);
    return table_agent_ask(agent, request);
}

START_TEST(the_password_goes_to_standard_input_only)
{
    static const struct {
        const char *user, *password;
        gboolean is_crypted;
        const char *calls;
    } cases[] = {
        { "bob", "c2VjcmV0", FALSE, "chpasswd< bob:secret\n\n" },
        { "bob", "c2VjcmV0", TRUE, "chpasswd -e< bob:secret\n\n" },
        { "bob", "c2Vj\\ncmV0\\n", FALSE, "chpasswd< bob:secret\n\n" },
        { "bob", "YTpi", FALSE, "chpasswd< bob:a:b\n\n" },
        { "bob", "YQAKYg==", FALSE, "chpasswd< bob:a\n\n" }, /* a, NUL, newline, b */
        { "bob", "", FALSE, "chpasswd< bob:\n\n" },
        { "", "YQ==", FALSE, "chpasswd< :a\n\n" },
        { "-e", "YQ==", FALSE, "chpasswd< -e:a\n\n" },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *reply = ask(succeeds, cases[i].user, cases[i].password,
                                     cases[i].is_crypted);

        ck_assert_str_eq(reply, "{\"return\": {}}\n");
        ck_assert_str_eq(fake_process_calls(), cases[i].calls);
    }
}
END_TEST

START_TEST(what_would_be_another_line_or_user_is_refused)
{
    static const struct {
        const char *user, *password, *reply;
    } cases[] = {
        { "bob", "YQpi", FORBIDDEN("raw password") },
        { "bob", "Cg==", FORBIDDEN("raw password") },
        { "b:ob", "YQ==", FORBIDDEN("username") },
        { "bob\\nroot", "YQ==", FORBIDDEN("username") },
        { "b:ob", "YQpi", FORBIDDEN("raw password") },
        { "bob", "*",
          "{\"error\": {\"class\": \"GenericError\", \"desc\": "
          "\"Base64 data contains invalid characters\"}}\n" },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *reply = ask(succeeds, cases[i].user, cases[i].password, FALSE);

        ck_assert_str_eq(reply, cases[i].reply);
        ck_assert_str_eq(fake_process_calls(), "");
    }
}
END_TEST

START_TEST(a_failure_is_told)
{
    g_autofree char *reply = ask(fails, "bob", "YQ==", FALSE);

    ck_assert_str_eq(reply, "{\"error\": {\"class\": \"GenericError\", \"desc\": \"child process "
                            "has failed to set user password: exit status 1\"}}\n");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("password");
    TCase *tcase = tcase_create("password");

    tcase_add_test(tcase, the_password_goes_to_standard_input_only);
    tcase_add_test(tcase, what_would_be_another_line_or_user_is_refused);
    tcase_add_test(tcase, a_failure_is_told);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
