/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The agent: slots, lookup, stopping; and calls that are lost. */
#include "core/agent.h"

#include <check.h>

#include "runner.h"
#include "toy-agent.h"

static GString *journal;

static gpointer
first_open(G_GNUC_UNUSED GaAgent *agent)
{
    g_string_append(journal, "+first ");
    return journal;
}

static void
first_close(G_GNUC_UNUSED gpointer state)
{
    g_string_append(journal, "-first ");
}

static const GaSlot first = { "first", first_open, first_close };

/* Opens the first slot from within its own opening, as a family that uses another does. */
static gpointer
second_open(GaAgent *agent)
{
    ga_agent_slot(agent, &first);
    g_string_append(journal, "+second ");
    return journal;
}

static void
second_close(G_GNUC_UNUSED gpointer state)
{
    g_string_append(journal, "-second ");
}

static const GaSlot second = { "second", second_open, second_close };

START_TEST(slots_open_once_and_close_in_reverse_order)
{
    Toy *toy = toy_new(NULL, NULL);

    journal = g_string_new(NULL);
    ga_agent_slot(toy->agent, &second);
    ga_agent_slot(toy->agent, &first);
    ga_agent_slot(toy->agent, &second);
    toy_free(toy);
    ck_assert_str_eq(journal->str, "+first +second -second -first ");
    g_string_free(journal, TRUE);
}
END_TEST

START_TEST(every_row_is_found_and_nothing_else)
{
    static const char *const strangers[] = { "", "toy", "toy-addx", "zzz", "TOY-ADD" };

    for (guint i = 0; i < toy_table.n_rows; i++)
        ck_assert_ptr_eq(ga_command_find(&toy_table, toy_table.rows[i].name), &toy_table.rows[i]);
    for (guint i = 0; i < G_N_ELEMENTS(strangers); i++)
        ck_assert_ptr_null(ga_command_find(&toy_table, strangers[i]));
}
END_TEST

START_TEST(stopping_before_the_loop_runs_is_not_lost)
{
    g_autoptr(Toy) toy = toy_new(NULL, NULL);

    ga_agent_stop(toy->agent, 3);
    ck_assert_int_eq(ga_agent_run(toy->agent), 3);
}
END_TEST

START_TEST(an_agent_goes_with_a_call_still_waiting)
{
    g_autoptr(Toy) toy = toy_new(NULL, NULL);
    g_autofree char *answer = toy_ask(toy, "{\"execute\": \"toy-wait\", \"id\": \"x\"}");

    ck_assert_str_eq(answer, "");
    ck_assert_uint_eq(toy_waiting(toy), 1);
}
END_TEST

/* A slot that settles what waits, as its last act. */
static Toy *ending;

static void
settling_close(G_GNUC_UNUSED gpointer state)
{
    toy_settle(ending, 1);
    ck_assert_uint_eq(toy_waiting(ending), 0);
}

static const GaSlot settling = { "settling", first_open, settling_close };

START_TEST(a_call_settled_at_the_end_starts_no_other)
{
    ending = toy_new(NULL, NULL);
    journal = g_string_new(NULL);
    g_autofree char *answer = toy_ask(ending, "{\"execute\": \"toy-wait\"}"
                                              "{\"execute\": \"toy-wait\"}");

    ck_assert_str_eq(answer, "");
    ga_agent_slot(ending->agent, &settling);
    toy_free(ending);
    g_string_free(journal, TRUE);
}
END_TEST

START_TEST(a_lost_call_still_answers)
{
    g_autoptr(Toy) toy = toy_new(NULL, NULL);
    g_autofree char *nothing = toy_ask(toy, "{\"execute\": \"toy-wait\", \"id\": 1}");

    ck_assert_str_eq(nothing, "");
    toy_lose(toy);
    g_autofree char *answer = toy_received(toy->channel);
    ck_assert_str_eq(answer, "{\"id\": 1, \"error\": {\"class\": \"GenericError\", "
                             "\"desc\": \"toy-wait: internal error\"}}\n");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("agent");
    TCase *tcase = tcase_create("agent");

    tcase_add_test(tcase, slots_open_once_and_close_in_reverse_order);
    tcase_add_test(tcase, every_row_is_found_and_nothing_else);
    tcase_add_test(tcase, stopping_before_the_loop_runs_is_not_lost);
    tcase_add_test(tcase, an_agent_goes_with_a_call_still_waiting);
    tcase_add_test(tcase, a_call_settled_at_the_end_starts_no_other);
    tcase_add_test(tcase, a_lost_call_still_answers);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
