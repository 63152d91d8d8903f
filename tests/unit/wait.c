/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls that wait, over the memory channel. */
#include "core/wait.h"

#include <check.h>
#include <string.h>

#include "core/bounds.h"
#include "runner.h"
#include "toy-agent.h"

#define LONG "{\"execute\": \"toy-linger\", \"arguments\": {\"ms\": 1000000}}\n"
#define SHORT "{\"execute\": \"toy-linger\", \"arguments\": {\"ms\": 20}}\n"
#define ADD "{\"execute\": \"toy-add\", \"arguments\": {\"a\": 3}}\n"
#define HAPPENED "{\"return\": 1}\n"
#define NOTHING "{\"return\": 0}\n"
#define THREE "{\"return\": 3}\n"

static void
assert_answer(Toy *toy, const char *request, const char *expected)
{
    g_autofree char *answer = toy_ask(toy, request);

    ck_assert_str_eq(answer, expected);
}

/* Milliseconds until the answer is there. */
static gint64
time_until(MemoryChannel *channel, const char *expected)
{
    gint64 start = g_get_monotonic_time();

    while (channel->output->len == 0)
        g_main_context_iteration(NULL, TRUE);
    g_autofree char *answer = toy_received(channel);
    ck_assert_str_eq(answer, expected);
    return (g_get_monotonic_time() - start) / 1000;
}

START_TEST(a_wait_ends_when_it_happens)
{
    g_autoptr(Toy) toy = toy_new(NULL, NULL);

    assert_answer(toy, LONG, "");
    toy_end_linger(toy);
    assert_answer(toy, "", HAPPENED);
    assert_answer(toy, ADD, THREE);
}
END_TEST

START_TEST(a_wait_ends_when_its_time_is_over)
{
    g_autoptr(Toy) toy = toy_new(NULL, NULL);

    assert_answer(toy, SHORT, "");
    ck_assert_int_ge(time_until(toy->channel, NOTHING), 19);
    assert_answer(toy, ADD, THREE);
}
END_TEST

START_TEST(on_the_shared_channel_no_wait_is_long)
{
    g_autoptr(Toy) toy = toy_new(NULL, NULL);

    assert_answer(toy, LONG, "");
    gint64 time = time_until(toy->channel, NOTHING);
    ck_assert_int_ge(time, GA_WAIT_SHARED_MS - 1);
    ck_assert_int_lt(time, GA_WAIT_OWN_MS);
}
END_TEST

START_TEST(a_wait_ends_when_the_client_sends_more)
{
    g_autoptr(Toy) toy = toy_new(NULL, NULL);

    assert_answer(toy, LONG, "");
    assert_answer(toy, " \r\n\t", "");
    assert_answer(toy, ADD, NOTHING THREE);
}
END_TEST

START_TEST(a_wait_does_not_begin_when_more_is_there_already)
{
    g_autoptr(Toy) toy = toy_new(NULL, NULL);

    assert_answer(toy, LONG ADD, NOTHING THREE);
    assert_answer(toy, LONG LONG ADD, NOTHING NOTHING THREE);
}
END_TEST

START_TEST(a_wait_ends_when_the_client_leaves)
{
    g_autoptr(Toy) toy = toy_new(NULL, NULL);

    assert_answer(toy, LONG, "");
    toy->channel->base.events->peer_gone(toy->channel->base.owner);
    toy->channel->base.events->end_of_input(toy->channel->base.owner);
    toy_run();
    assert_answer(toy, ADD, THREE);
}
END_TEST

START_TEST(the_agent_may_end_with_a_wait_open)
{
    g_autoptr(Toy) toy = toy_new(NULL, NULL);

    assert_answer(toy, LONG, "");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("wait");
    TCase *tests = tcase_create("wait");

    tcase_add_test(tests, a_wait_ends_when_it_happens);
    tcase_add_test(tests, a_wait_ends_when_its_time_is_over);
    tcase_add_test(tests, on_the_shared_channel_no_wait_is_long);
    tcase_add_test(tests, a_wait_ends_when_the_client_sends_more);
    tcase_add_test(tests, a_wait_does_not_begin_when_more_is_there_already);
    tcase_add_test(tests, a_wait_ends_when_the_client_leaves);
    tcase_add_test(tests, the_agent_may_end_with_a_wait_open);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
