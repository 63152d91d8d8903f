/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ring of events, and the command that reads it. */
#include "core/event.h"

#include <string.h>

#include "gen/event.h"
#include "runner.h"
#include "table-agent.h"

static void
add(GaEvents *events, guint count)
{
    for (guint i = 0; i < count; i++)
        ga_events_add(events, &(GaEvent){ .type = GA_EVENT_FROZEN }, i);
}

static void
assert_range(const GaEvents *events, guint64 first, guint64 last)
{
    ck_assert_uint_eq(ga_events_first(events), first);
    ck_assert_uint_eq(ga_events_last(events), last);
    for (guint64 number = first; number <= last; number++)
        ck_assert_uint_eq(ga_events_get(events, number)->number, number);
}

START_TEST(numbers_go_on_and_the_eldest_give_way)
{
    g_autoptr(GaEvents) events = ga_events_new();

    assert_range(events, 1, 0);
    add(events, 1);
    assert_range(events, 1, 1);
    add(events, GA_EVENTS_MAX - 1);
    assert_range(events, 1, GA_EVENTS_MAX);
    add(events, 1);
    assert_range(events, 2, GA_EVENTS_MAX + 1);
    add(events, 3 * GA_EVENTS_MAX);
    assert_range(events, 3 * GA_EVENTS_MAX + 2, 4 * GA_EVENTS_MAX + 1);
}
END_TEST

START_TEST(an_event_is_a_copy_and_no_longer_than_it_may_be)
{
    g_autoptr(GaEvents) events = ga_events_new();
    char id[2 * GA_EVENT_ID_MAX + 1];

    memset(id, 'x', sizeof id - 1);
    id[sizeof id - 1] = 0;
    ga_events_add(events, &(GaEvent){ .type = GA_EVENT_EXEC_ENDED, .id = id, .signal = 9 }, 77);
    id[0] = 'y';

    const GaEvent *event = ga_events_get(events, 1);
    ck_assert_int_eq(event->time_ns, 77);
    ck_assert_int_eq(event->type, GA_EVENT_EXEC_ENDED);
    ck_assert_int_eq(event->signal, 9);
    ck_assert_uint_eq(strspn(event->id, "x"), GA_EVENT_ID_MAX);
    ck_assert_uint_eq(strlen(event->id), GA_EVENT_ID_MAX);
}
END_TEST

static void
note(gpointer owner, const GaEvent *event)
{
    *(guint64 *)owner = event->number;
}

START_TEST(one_is_told_of_each_until_he_leaves)
{
    g_autoptr(GaEvents) events = ga_events_new();
    guint64 seen = 0;

    ga_events_watch(events, note, &seen);
    add(events, 2);
    ck_assert_uint_eq(seen, 2);
    ga_events_watch(events, NULL, NULL);
    add(events, 1);
    ck_assert_uint_eq(seen, 2);
}
END_TEST

START_TEST(types_are_those_of_the_schema)
{
    ck_assert_int_eq(GA_EVENT_AGENT_STARTED, NOVACRON_EVENT_TYPE_AGENT_STARTED);
    ck_assert_int_eq(GA_EVENT_FROZEN, NOVACRON_EVENT_TYPE_FROZEN);
    ck_assert_int_eq(GA_EVENT_THAWED, NOVACRON_EVENT_TYPE_THAWED);
    ck_assert_int_eq(GA_EVENT_FREEZE_EXPIRED, NOVACRON_EVENT_TYPE_FREEZE_EXPIRED);
    ck_assert_int_eq(GA_EVENT_JOB_STATUS_CHANGE, NOVACRON_EVENT_TYPE_JOB_STATUS_CHANGE);
    ck_assert_int_eq(GA_EVENT_EXEC_STARTED, NOVACRON_EVENT_TYPE_EXEC_STARTED);
    ck_assert_int_eq(GA_EVENT_EXEC_ENDED, NOVACRON_EVENT_TYPE_EXEC_ENDED);
    ck_assert_int_eq(GA_EVENT_EXEC_CLOSED, NOVACRON_EVENT_TYPE_EXEC_CLOSED);
}
END_TEST

/* The command. */

static void
freeze_events(TableAgent *table, guint count)
{
    for (guint i = 0; i < count; i++)
        ga_event_emit(table->agent, &(GaEvent){ .type = GA_EVENT_FROZEN, .id = "t", .count = 3 });
}

static void
exec_events(TableAgent *table, guint count)
{
    for (guint i = 0; i < count; i++)
        ga_event_emit(table->agent,
                      &(GaEvent){ .type = GA_EVENT_EXEC_STARTED, .id = "7-1", .pid = 70 });
}

static char *
request_of(const char *arguments)
{
    return g_strdup_printf("{\"execute\": \"novacron-event-read\", \"arguments\": {%s}}",
                           arguments);
}

static void
assert_read(TableAgent *table, const char *arguments, const char *pattern)
{
    g_autofree char *request = request_of(arguments);
    g_autofree char *answer = table_agent_ask(table, request);

    ck_assert_msg(g_pattern_match_simple(pattern, answer), "%s, not %s", answer, pattern);
}

START_TEST(the_first_event_is_the_start)
{
    g_autoptr(TableAgent) table = table_agent_new();
    g_autofree char *pattern = g_strdup_printf(
        "*\"epoch\": %" G_GINT64_FORMAT "*\"time-ns\": %" G_GINT64_FORMAT "*",
        ga_agent_started(table->agent), ga_agent_started(table->agent));

    assert_read(table, "", "*[{*\"type\": \"agent-started\"*}]*");
    assert_read(table, "", "*\"next\": 1*");
    assert_read(table, "", "*\"lost\": 0*");
    assert_read(table, "\"after\": 1", "*\"events\": []*");
    assert_read(table, "", pattern);
}
END_TEST

START_TEST(what_is_lost_is_counted)
{
    g_autoptr(TableAgent) table = table_agent_new();

    exec_events(table, 1);
    freeze_events(table, GA_EVENTS_MAX);
    assert_read(table, "", "*\"lost\": 2*");
    assert_read(table, "\"after\": 1", "*\"lost\": 1*");
    assert_read(table, "\"after\": 2", "*\"lost\": 0*");
    assert_read(table, "\"after\": 1, \"types\": []", "*\"next\": 258*");
    assert_read(table, "\"after\": 1, \"wait-ms\": 200, \"types\": []", "*\"lost\": 1*");
}
END_TEST

START_TEST(a_number_that_is_yet_to_come_was_another_agents)
{
    g_autoptr(TableAgent) table = table_agent_new();

    assert_read(table, "\"after\": 2, \"wait-ms\": 200", "*agent-started*");
}
END_TEST

START_TEST(pages_have_what_fits_and_never_nothing)
{
    g_autoptr(TableAgent) table = table_agent_new();

    freeze_events(table, 99);
    assert_read(table, "\"max-bytes\": 0", "*\"next\": 1,*");
    assert_read(table, "\"max-bytes\": 0, \"after\": 1, \"types\": [\"frozen\"]", "*\"next\": 2,*");
    assert_read(table, "\"max-bytes\": 0, \"after\": 99", "*\"next\": 100,*");
    for (guint size = 500; size < 2000; size += 100) {
        g_autofree char *arguments = g_strdup_printf("\"max-bytes\": %u", size);
        g_autofree char *request = request_of(arguments);
        g_autofree char *answer = table_agent_ask(table, request);

        ck_assert_uint_le(strlen(answer), size);
        ck_assert_uint_ge(strlen(answer), size - 400);
    }
}
END_TEST

START_TEST(types_are_told_that_were_asked_for)
{
    g_autoptr(TableAgent) table = table_agent_new();

    exec_events(table, 1);
    freeze_events(table, 1);
    assert_read(table, "\"types\": [\"exec-started\", \"exec-ended\"]",
                "*[{*\"exec-started\"*\"pid\": 70*}]*");
    assert_read(table, "\"types\": [\"exec-started\"]", "*\"next\": 3*");
    assert_read(table, "\"types\": []", "*\"events\": []*");
}
END_TEST

static void
assert_received(const TableAgent *table, const char *pattern)
{
    const char *found = table_agent_received(table);

    ck_assert_msg(g_pattern_match_simple(pattern, found), "%s, not %s", found, pattern);
}

static void
turn(void)
{
    while (g_main_context_iteration(NULL, FALSE))
        ;
}

START_TEST(a_flood_of_others_is_no_loss_to_one_that_waits)
{
    g_autoptr(TableAgent) table = table_agent_new();
    g_autofree char *request = request_of(
        "\"after\": 1, \"types\": [\"frozen\"], \"wait-ms\": 60000");

    table_agent_send(table, request);
    exec_events(table, 2 * GA_EVENTS_MAX);
    turn();
    assert_received(table, "");
    freeze_events(table, 1);
    exec_events(table, GA_EVENTS_MAX - 1);
    turn();
    assert_received(table, "*\"lost\": 0*[{*\"frozen\"*}]*");
}
END_TEST

START_TEST(a_flood_of_what_it_waits_for_is)
{
    g_autoptr(TableAgent) table = table_agent_new();
    g_autofree char *request = request_of(
        "\"after\": 1, \"types\": [\"frozen\"], \"wait-ms\": 60000");

    table_agent_send(table, request);
    freeze_events(table, GA_EVENTS_MAX + 10);
    turn();
    assert_received(table, "*\"lost\": 10*[{*\"frozen\"*}]*");
}
END_TEST

START_TEST(the_agent_may_end_with_a_reader_waiting)
{
    g_autoptr(TableAgent) table = table_agent_new();
    g_autofree char *request = request_of("\"after\": 1, \"wait-ms\": 60000");

    table_agent_send(table, request);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("event");
    TCase *tests = tcase_create("event");

    tcase_add_test(tests, numbers_go_on_and_the_eldest_give_way);
    tcase_add_test(tests, an_event_is_a_copy_and_no_longer_than_it_may_be);
    tcase_add_test(tests, one_is_told_of_each_until_he_leaves);
    tcase_add_test(tests, types_are_those_of_the_schema);
    tcase_add_test(tests, the_first_event_is_the_start);
    tcase_add_test(tests, what_is_lost_is_counted);
    tcase_add_test(tests, a_number_that_is_yet_to_come_was_another_agents);
    tcase_add_test(tests, pages_have_what_fits_and_never_nothing);
    tcase_add_test(tests, types_are_told_that_were_asked_for);
    tcase_add_test(tests, a_flood_of_others_is_no_loss_to_one_that_waits);
    tcase_add_test(tests, a_flood_of_what_it_waits_for_is);
    tcase_add_test(tests, the_agent_may_end_with_a_reader_waiting);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
