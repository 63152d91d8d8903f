/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Accounting: the rate limit and the mute, over a sink that remembers. */
#include "core/account.h"

#include <string.h>

#include "runner.h"

static void
sink_write(gpointer sink, const char *line)
{
    g_ptr_array_add(sink, g_strdup(line));
}

static void
sink_free(gpointer sink)
{
    g_ptr_array_unref(sink);
}

static const GaAccountSink sink_functions = { sink_write, sink_free };

static GaAccount *
account_new(GPtrArray *lines)
{
    return ga_account_new(&sink_functions, g_ptr_array_ref(lines));
}

static gboolean
on_timeout(gpointer user_data)
{
    *(gboolean *)user_data = TRUE;
    return G_SOURCE_REMOVE;
}

static void
run_loop(guint milliseconds)
{
    gboolean is_over = FALSE;

    g_timeout_add(milliseconds, on_timeout, &is_over);
    while (!is_over)
        g_main_context_iteration(NULL, TRUE);
}

START_TEST(a_line_is_prefixed_and_formatted)
{
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    GaAccount *account = account_new(lines);

    ga_account(account, "guest-exec", "guest-exec called: \"%s\"", "/bin/true");
    ck_assert_uint_eq(lines->len, 1);
    ck_assert_str_eq(g_ptr_array_index(lines, 0), "info: guest-exec called: \"/bin/true\"");
    ga_account_free(account);
}
END_TEST

START_TEST(a_flood_is_cut_and_counted_when_its_second_is_over)
{
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    GaAccount *account = account_new(lines);

    for (guint i = 0; i < 100; i++)
        ga_account(account, "guest-ping", "guest-ping called");
    ck_assert_uint_eq(lines->len, GA_ACCOUNT_LINES_PER_SECOND);
    run_loop(1200);
    ck_assert_uint_eq(lines->len, GA_ACCOUNT_LINES_PER_SECOND + 1);
    ck_assert_str_eq(g_ptr_array_index(lines, GA_ACCOUNT_LINES_PER_SECOND),
                     "info: guest-ping: 80 suppressed");

    ga_account(account, "guest-ping", "guest-ping called");
    ck_assert_str_eq(g_ptr_array_index(lines, lines->len - 1), "info: guest-ping called");
    ga_account_free(account);
}
END_TEST

START_TEST(one_command_does_not_use_up_what_another_may_say)
{
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    GaAccount *account = account_new(lines);

    for (guint i = 0; i < 100; i++)
        ga_account(account, "guest-ping", "guest-ping called");
    ga_account(account, "guest-exec", "guest-exec called");
    ck_assert_str_eq(g_ptr_array_index(lines, lines->len - 1), "info: guest-exec called");
    ga_account_free(account); /* with a timer running */
}
END_TEST

START_TEST(nothing_wakes_the_agent_when_nothing_was_suppressed)
{
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    GaAccount *account = account_new(lines);
    GMainContext *context = g_main_context_default();
    gint timeout;

    for (guint i = 0; i < GA_ACCOUNT_LINES_PER_SECOND; i++)
        ga_account(account, "guest-ping", "guest-ping called");
    ck_assert(g_main_context_acquire(context));
    g_main_context_prepare(context, NULL);
    g_main_context_query(context, G_MAXINT, &timeout, NULL, 0);
    g_main_context_release(context);
    ck_assert_int_eq(timeout, -1);
    ga_account_free(account);
}
END_TEST

START_TEST(while_muted_nothing_is_said)
{
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    GaAccount *account = account_new(lines);

    ga_account_set_muted(account, TRUE);
    ga_account(account, "guest-ping", "guest-ping called");
    ck_assert_uint_eq(lines->len, 0);
    ga_account_set_muted(account, FALSE);
    ga_account(account, "guest-ping", "guest-ping called");
    ck_assert_uint_eq(lines->len, 1);
    ga_account_free(account);
}
END_TEST

START_TEST(a_line_without_end_is_cut)
{
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    GaAccount *account = account_new(lines);
    g_autofree char *path = g_strnfill(1 << 20, 'x');

    ga_account(account, "guest-file-open", "%s", path);
    ck_assert_uint_lt(strlen(g_ptr_array_index(lines, 0)), 1 << 14);
    ga_account_free(account);
}
END_TEST

START_TEST(no_account_is_fine)
{
    ga_account(NULL, "guest-ping", "guest-ping called");
    ga_account_free(NULL);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("account");
    TCase *tcase = tcase_create("account");

    tcase_add_test(tcase, a_line_is_prefixed_and_formatted);
    tcase_add_test(tcase, a_flood_is_cut_and_counted_when_its_second_is_over);
    tcase_add_test(tcase, one_command_does_not_use_up_what_another_may_say);
    tcase_add_test(tcase, nothing_wakes_the_agent_when_nothing_was_suppressed);
    tcase_add_test(tcase, while_muted_nothing_is_said);
    tcase_add_test(tcase, a_line_without_end_is_cut);
    tcase_add_test(tcase, no_account_is_fine);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
