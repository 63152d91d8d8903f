/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sessions over the memory channel: order, waiting, slow readers, peers that leave. */
#include "core/session.h"

#include <check.h>
#include <string.h>

#include "runner.h"
#include "toy-agent.h"

#define ADD "{\"execute\": \"toy-add\", \"arguments\": {\"a\": 1, \"b\": 2}}"
#define WAIT "{\"execute\": \"toy-wait\"}"
#define THREE "{\"return\": 3}\n"
#define NOTHING "{\"return\": {}}\n"

static void
assert_answer(Toy *toy, const char *request, const char *expected)
{
    g_autofree char *answer = toy_ask(toy, request);

    ck_assert_str_eq(answer, expected);
}

START_TEST(a_request_is_answered)
{
    g_autoptr(Toy) toy = toy_new(NULL, NULL);

    assert_answer(toy, ADD, THREE);
    assert_answer(toy, "{\"execute\": \"toy-add\", \"arguments\": {\"a\": -1}, \"id\": [1]}",
                  "{\"return\": -1, \"id\": [1]}\n");
}
END_TEST

START_TEST(errors_are_answered_with_their_id)
{
    g_autoptr(Toy) toy = toy_new(NULL, NULL);

    assert_answer(toy, "{\"execute\": \"toy-add\", \"id\": 7}",
                  "{\"id\": 7, \"error\": {\"class\": \"GenericError\", "
                  "\"desc\": \"Parameter 'a' is missing\"}}\n");
    assert_answer(toy, "{\"execute\": \"toy-nix\", \"id\": {}}",
                  "{\"id\": {}, \"error\": {\"class\": \"CommandNotFound\", "
                  "\"desc\": \"The command toy-nix has not been found\"}}\n");
    assert_answer(toy, "{\"execute\": \"toy-wait\", \"arguments\": {\"x\": 1}}",
                  "{\"error\": {\"class\": \"GenericError\", "
                  "\"desc\": \"Parameter 'x' is unexpected\"}}\n");
    ck_assert_uint_eq(toy_waiting(toy), 0);
}
END_TEST

START_TEST(requests_survive_any_split)
{
    static const char wire[] = ADD "\n" ADD;

    for (gsize cut = 0; cut <= strlen(wire); cut++) {
        g_autoptr(Toy) toy = toy_new(NULL, NULL);

        memory_send(toy->channel, wire, cut);
        g_autofree char *first = toy_ask(toy, ""); /* a busy machine may have ended its turn */
        g_autofree char *rest = toy_ask(toy, wire + cut);
        g_autofree char *all = g_strconcat(first, rest, NULL);
        ck_assert_str_eq(all, THREE THREE);
    }
}
END_TEST

START_TEST(answers_come_in_order_though_a_call_waits)
{
    g_autoptr(Toy) toy = toy_new(NULL, NULL);

    assert_answer(toy, ADD WAIT ADD WAIT ADD, THREE);
    ck_assert_uint_eq(toy_waiting(toy), 1);

    toy_settle(toy, 11);
    g_autofree char *first = toy_received(toy->channel);
    ck_assert_str_eq(first, "{\"return\": 11}\n" THREE);

    toy_settle(toy, 22);
    g_autofree char *second = toy_received(toy->channel);
    ck_assert_str_eq(second, "{\"return\": 22}\n" THREE);
}
END_TEST

START_TEST(a_waiting_call_stops_reading_but_not_other_sessions)
{
    g_autoptr(Toy) toy = toy_new(NULL, NULL);
    GaEndpoint endpoint = { 0 };
    MemoryChannel *other = toy_add_session(toy, &endpoint);

    assert_answer(toy, WAIT, "");
    ck_assert(toy->channel->is_reading);
    assert_answer(toy, ADD, "");
    ck_assert(!toy->channel->is_reading);

    memory_send(other, ADD, strlen(ADD));
    g_autofree char *answer = toy_received(other);
    ck_assert_str_eq(answer, THREE);
    toy_settle(toy, 1);
    ck_assert(toy->channel->is_reading);
}
END_TEST

START_TEST(a_flood_is_served_in_turns)
{
    g_autoptr(Toy) toy = toy_new(NULL, NULL);
    g_autoptr(GString) flood = g_string_new(NULL);

    for (guint i = 0; i < 100; i++)
        g_string_append(flood, "{\"execute\": \"toy-work\"}");
    ck_assert_uint_eq(memory_send(toy->channel, flood->str, flood->len), flood->len);
    /* One turn is a millisecond, and here five requests. */
    ck_assert_uint_gt(toy->channel->output->len, 0);
    ck_assert_uint_le(toy->channel->output->len, 10 * strlen(NOTHING));

    toy_run();
    ck_assert_uint_eq(toy->channel->output->len, 100 * strlen(NOTHING));
}
END_TEST

START_TEST(a_slow_reader_gets_every_byte_and_stops_the_rest)
{
    g_autoptr(Toy) toy = toy_new(NULL, NULL);
    const gsize size = 1000 * 1000;

    toy->channel->capacity = 10;
    g_autofree char *request = g_strdup_printf(
        "{\"execute\": \"toy-block\", \"arguments\": {\"size\": %" G_GSIZE_FORMAT "}}" ADD, size);
    memory_send(toy->channel, request, strlen(request));
    toy_run();
    ck_assert(!toy->channel->is_reading);

    for (guint i = 0; !toy->channel->is_reading && i < 100000; i++) {
        memory_accept(toy->channel, 1 + i % 777);
        toy_run();
    }
    memory_accept(toy->channel, size);
    g_autofree char *answer = toy_received(toy->channel);
    g_autofree char *block = g_strnfill(size, 'x');
    g_autofree char *text = g_base64_encode((const guchar *)block, size);
    g_autofree char *expected = g_strdup_printf("{\"return\": \"%s\"}\n" THREE, text);
    ck_assert(strcmp(answer, expected) == 0);
}
END_TEST

START_TEST(a_peer_that_left_gets_nothing_and_its_requests_still_run)
{
    g_autoptr(Toy) toy = toy_new(NULL, NULL);

    toy->channel->is_broken = TRUE;
    assert_answer(toy, ADD WAIT, "");
    ck_assert_uint_eq(toy_waiting(toy), 1);
    toy->channel->base.events->end_of_input(toy->channel->base.owner);
    ck_assert_uint_eq(toy->channel->ended_peers, 0);

    toy_settle(toy, 5);
    ck_assert_uint_eq(toy->channel->ended_peers, 1);
    ck_assert_uint_eq(toy->channel->output->len, 0);
    assert_answer(toy, ADD, THREE);
}
END_TEST

START_TEST(a_half_closed_peer_is_answered_before_the_next)
{
    g_autoptr(Toy) toy = toy_new(NULL, NULL);

    memory_send(toy->channel, WAIT ADD, strlen(WAIT ADD));
    toy->channel->base.events->end_of_input(toy->channel->base.owner);
    ck_assert_uint_eq(toy->channel->ended_peers, 0);
    toy_settle(toy, 5);
    ck_assert_uint_eq(toy->channel->ended_peers, 1);
    ck_assert_str_eq(toy->channel->output->str, "{\"return\": 5}\n" THREE);
}
END_TEST

START_TEST(a_half_sent_request_is_completed_by_the_next_peer)
{
    g_autoptr(Toy) toy = toy_new(NULL, NULL);

    memory_send(toy->channel, ADD, 10);
    toy->channel->base.events->end_of_input(toy->channel->base.owner);
    ck_assert_uint_eq(toy->channel->ended_peers, 1);
    assert_answer(toy, &ADD[10], THREE);
}
END_TEST

START_TEST(a_host_that_closes_its_port_loses_only_its_own_answers)
{
    g_autoptr(Toy) toy = toy_new(NULL, NULL);

    toy->channel->capacity = 3;
    memory_send(toy->channel, ADD, strlen(ADD));
    toy->channel->base.events->peer_gone(toy->channel->base.owner);
    toy->channel->base.events->end_of_input(toy->channel->base.owner);
    ck_assert_uint_eq(toy->channel->ended_peers, 1);

    toy->channel->capacity = G_MAXSIZE;
    g_string_truncate(toy->channel->output, 0);
    assert_answer(toy, ADD, THREE);
}
END_TEST

START_TEST(what_waits_for_a_reader_goes_on_when_it_left)
{
    static const char block[] = "{\"execute\": \"toy-block\", \"arguments\": {\"size\": 1000000}}";
    g_autoptr(Toy) toy = toy_new(NULL, NULL);

    toy->channel->capacity = 10;
    memory_send(toy->channel, block, strlen(block));
    memory_send(toy->channel, WAIT, strlen(WAIT));
    toy_run();
    ck_assert(!toy->channel->is_reading);
    ck_assert_uint_eq(toy_waiting(toy), 0);

    /* Its input has not ended yet, and no other event will come. */
    toy->channel->base.events->peer_gone(toy->channel->base.owner);
    ck_assert_uint_eq(toy_waiting(toy), 1);
    ck_assert(toy->channel->is_reading);
}
END_TEST

START_TEST(success_can_be_silent_and_delimited)
{
    g_autoptr(Toy) toy = toy_new(NULL, NULL);

    assert_answer(toy, "{\"execute\": \"toy-quiet\", \"id\": 1}" ADD, THREE);
    assert_answer(toy, "{\"execute\": \"toy-mark\"}" ADD, "\xff{\"return\": 7}\n" THREE);
    assert_answer(toy, "{\"execute\": \"toy-mark\", \"arguments\": 1}",
                  "{\"error\": {\"class\": \"GenericError\", \"desc\": "
                  "\"QMP input member 'arguments' must be an object\"}}\n");
}
END_TEST

START_TEST(a_lost_channel_ends_the_agent)
{
    g_autoptr(Toy) toy = toy_new(NULL, NULL);
    g_autoptr(GError) error = g_error_new(g_quark_from_static_string("test"), 0, "gone");

    assert_answer(toy, WAIT, "");
    g_log_set_always_fatal(G_LOG_LEVEL_ERROR);
    toy->channel->base.events->failed(toy->channel->base.owner, error);
    ck_assert_int_eq(ga_agent_run(toy->agent), 0);
    toy_settle(toy, 1);
}
END_TEST

static Suite *
session_suite(void)
{
    Suite *suite = suite_create("session");
    TCase *tcase = tcase_create("session");

    tcase_add_test(tcase, a_request_is_answered);
    tcase_add_test(tcase, errors_are_answered_with_their_id);
    tcase_add_test(tcase, requests_survive_any_split);
    tcase_add_test(tcase, answers_come_in_order_though_a_call_waits);
    tcase_add_test(tcase, a_waiting_call_stops_reading_but_not_other_sessions);
    tcase_add_test(tcase, a_flood_is_served_in_turns);
    tcase_add_test(tcase, a_slow_reader_gets_every_byte_and_stops_the_rest);
    tcase_add_test(tcase, a_peer_that_left_gets_nothing_and_its_requests_still_run);
    tcase_add_test(tcase, a_half_closed_peer_is_answered_before_the_next);
    tcase_add_test(tcase, a_half_sent_request_is_completed_by_the_next_peer);
    tcase_add_test(tcase, a_host_that_closes_its_port_loses_only_its_own_answers);
    tcase_add_test(tcase, what_waits_for_a_reader_goes_on_when_it_left);
    tcase_add_test(tcase, success_can_be_silent_and_delimited);
    tcase_add_test(tcase, a_lost_channel_ends_the_agent);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void)
{
    return run_suite(session_suite());
}
