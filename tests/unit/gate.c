/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The gate: lists and the frozen flag. */
#include "core/gate.h"

#include <check.h>

#include "runner.h"
#include "toy-agent.h"

static gboolean
allows(const GaGate *gate, const char *name)
{
    return ga_gate_allows(gate, ga_command_find(&toy_table, name));
}

START_TEST(everything_is_allowed_without_lists)
{
    static const char *const empty[] = { NULL };
    GaGate *gate = ga_gate_new(&toy_table, empty, NULL);

    for (guint i = 0; i < toy_table.n_rows; i++)
        ck_assert(ga_gate_allows(gate, &toy_table.rows[i]));
    ga_gate_free(gate);
}
END_TEST

START_TEST(the_block_list_wins_over_the_allow_list)
{
    static const char *const allow[] = { "toy-add", "toy-wait", "no-such", NULL };
    static const char *const block[] = { "toy-wait", "toy-frozen", NULL };
    GaGate *gate = ga_gate_new(&toy_table, allow, block);

    ck_assert(allows(gate, "toy-add"));
    ck_assert(!allows(gate, "toy-wait"));
    ck_assert(!allows(gate, "toy-frozen"));
    ck_assert(!allows(gate, "toy-quiet"));
    ga_gate_free(gate);
}
END_TEST

START_TEST(an_allow_list_of_unknown_names_allows_nothing)
{
    static const char *const allow[] = { "no-such", NULL };
    GaGate *gate = ga_gate_new(&toy_table, allow, NULL);

    for (guint i = 0; i < toy_table.n_rows; i++)
        ck_assert(!ga_gate_allows(gate, &toy_table.rows[i]));
    ga_gate_free(gate);
}
END_TEST

START_TEST(while_frozen_exactly_the_marked_commands_run_listed_or_not)
{
    static const char *const block[] = { "toy-frozen", NULL };
    GaGate *gate = ga_gate_new(&toy_table, NULL, block);

    ga_gate_set_frozen(gate, TRUE);
    ck_assert(ga_gate_is_frozen(gate));
    ck_assert(allows(gate, "toy-frozen"));
    ck_assert(!allows(gate, "toy-add"));
    ga_gate_set_frozen(gate, FALSE);
    ck_assert(!allows(gate, "toy-frozen"));
    ck_assert(allows(gate, "toy-add"));
    ga_gate_free(gate);
}
END_TEST

START_TEST(a_refused_command_is_told_before_its_arguments_are_read)
{
    static const char *const block[] = { "toy-add", NULL };
    g_autoptr(Toy) toy = toy_new(NULL, block);
    g_autofree char *answer = toy_ask(toy, "{\"execute\": \"toy-add\"}");

    ck_assert_str_eq(answer, "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"Command "
                             "toy-add has been disabled: the command is not allowed\"}}\n");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("gate");
    TCase *tcase = tcase_create("gate");

    tcase_add_test(tcase, everything_is_allowed_without_lists);
    tcase_add_test(tcase, the_block_list_wins_over_the_allow_list);
    tcase_add_test(tcase, an_allow_list_of_unknown_names_allows_nothing);
    tcase_add_test(tcase, while_frozen_exactly_the_marked_commands_run_listed_or_not);
    tcase_add_test(tcase, a_refused_command_is_told_before_its_arguments_are_read);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
