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
    GaGate *gate = ga_gate_new(&toy_table, empty, NULL, NULL);

    for (guint i = 0; i < toy_table.n_rows; i++)
        ck_assert(ga_gate_allows(gate, &toy_table.rows[i]));
    ga_gate_free(gate);
}
END_TEST

START_TEST(the_block_list_wins_over_the_allow_list)
{
    static const char *const allow[] = { "toy-add", "toy-wait", "no-such", NULL };
    static const char *const block[] = { "toy-wait", "toy-frozen", NULL };
    GaGate *gate = ga_gate_new(&toy_table, allow, block, NULL);

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
    GaGate *gate = ga_gate_new(&toy_table, allow, NULL, NULL);

    for (guint i = 0; i < toy_table.n_rows; i++)
        ck_assert(!ga_gate_allows(gate, &toy_table.rows[i]));
    ga_gate_free(gate);
}
END_TEST

START_TEST(while_frozen_exactly_the_marked_commands_run_listed_or_not)
{
    static const char *const block[] = { "toy-frozen", NULL };
    GaGate *gate = ga_gate_new(&toy_table, NULL, block, NULL);

    ga_gate_set_frozen(gate, TRUE);
    ck_assert(ga_gate_is_frozen(gate));
    ck_assert(allows(gate, "toy-frozen"));
    ck_assert(!allows(gate, "toy-add"));
    ck_assert(!ga_gate_lists(gate, ga_command_find(&toy_table, "toy-frozen")));
    ck_assert(ga_gate_lists(gate, ga_command_find(&toy_table, "toy-add")));
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

static void
run_nothing(GaCall *call, G_GNUC_UNUSED gconstpointer arguments)
{
    ga_call_return(call, NULL);
}

static const GaArea exec_area = { "exec", NULL }, file_area = { "file", NULL };
static const char *const read_powers[] = { "guest-read", NULL };
static const char *const exec_powers[] = { "guest-exec", "guest-read", NULL };
static const GaCommand rows[] = {
    { "guest-exec", run_nothing, NULL, NULL, GA_COMMAND_CHANGES_GUEST },
    { "guest-read", run_nothing, NULL, NULL, GA_COMMAND_WHILE_FROZEN },
    { "novacron-exec-start", run_nothing, NULL, NULL, GA_COMMAND_CHANGES_GUEST, 0, exec_powers,
      &exec_area },
    { "novacron-file-write", run_nothing, NULL, NULL, GA_COMMAND_CHANGES_GUEST, 0, NULL,
      &file_area },
    { "novacron-file-read", run_nothing, NULL, NULL, GA_COMMAND_WHILE_FROZEN, 0, read_powers,
      &file_area },
};
static const GaCommandTable table = { rows, G_N_ELEMENTS(rows), NULL };

static char **
split(const char *names)
{
    return g_strsplit(names, ",", -1);
}

/* One character for each row: + allowed, - not. */
static void
assert_allowed(const char *allow, const char *block, const char *areas, gboolean is_frozen,
               const char *expected)
{
    g_auto(GStrv) allow_list = split(allow);
    g_auto(GStrv) block_list = split(block);
    g_auto(GStrv) area_list = split(areas);
    GaGate *gate = ga_gate_new(&table, (const char *const *)allow_list,
                               (const char *const *)block_list, (const char *const *)area_list);
    char allowed[G_N_ELEMENTS(rows) + 1] = "";

    ga_gate_set_frozen(gate, is_frozen);
    for (guint i = 0; i < table.n_rows; i++)
        allowed[i] = ga_gate_allows(gate, &rows[i]) ? '+' : '-';
    ga_gate_free(gate);
    ck_assert_str_eq(allowed, expected);
}

START_TEST(an_extension_changes_the_guest_only_where_its_area_is_on)
{
    assert_allowed("", "", "", FALSE, "++--+");
    assert_allowed("", "", "exec", FALSE, "+++-+");
    assert_allowed("", "", "files,file", FALSE, "++-++");
    assert_allowed("", "", "novacron-exec-start", FALSE, "++--+");
}
END_TEST

START_TEST(an_extension_is_blocked_with_any_of_its_powers)
{
    assert_allowed("", "guest-exec", "exec,file", FALSE, "-+-++");
    assert_allowed("", "guest-read", "exec,file", FALSE, "+--+-");
    assert_allowed("guest-read,novacron-exec-start,novacron-file-read", "", "exec", FALSE, "-+--+");
    assert_allowed("novacron-file-read", "", "exec", FALSE, "-----");
}
END_TEST

START_TEST(an_extension_that_is_blocked_stays_so_while_frozen)
{
    assert_allowed("", "", "exec", TRUE, "-+--+");
    assert_allowed("", "novacron-file-read", "exec", TRUE, "-+---");
    assert_allowed("", "guest-read", "exec", TRUE, "-+---");
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
    tcase_add_test(tcase, an_extension_changes_the_guest_only_where_its_area_is_on);
    tcase_add_test(tcase, an_extension_is_blocked_with_any_of_its_powers);
    tcase_add_test(tcase, an_extension_that_is_blocked_stays_so_while_frozen);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
