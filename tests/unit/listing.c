/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists as clients page and poll them. */
#include "core/listing.h"

#include <string.h>

#include "core/refusal.h"
#include "runner.h"
#include "toy-agent.h"
#include "toy-schema.h"

#define N_POINTS 4

/* What is listed: points on a line, of which those with a label are there. */
typedef struct {
    char *labels[N_POINTS];
    guint n_times;       /* each of them so often */
    gboolean breaks;     /* say where to go on */
    const char *refusal; /* instead of anything */
    GThread *filled_on, *freed_on;
    guint n_frees;
} Line;

static gboolean
fill(GaTable *table, gpointer data, GError **error)
{
    Line *line = data;
    const char *place = ga_table_place(table);

    line->filled_on = g_thread_self();
    if (line->refusal) {
        ga_refuse(error, GA_REFUSAL_NOT_FOUND, "%s", line->refusal);
        return FALSE;
    }
    for (guint i = place ? (guint)atoi(place) : 0; i < N_POINTS * line->n_times; i++) {
        Point point = { i, 7, line->labels[i % N_POINTS] };

        if (!point.label || ga_table_add(table, &point))
            continue;
        if (line->breaks)
            ga_table_break(table, g_strdup_printf("%u", i));
        break;
    }
    return TRUE;
}

static void
count_free(gpointer data)
{
    Line *line = data;

    line->freed_on = g_thread_self();
    line->n_frees++;
}

static const GaListing points = { &point_type, fill, FALSE, count_free };

static Toy *toy;
static Line line;

static void
setup(void)
{
    toy = toy_new(NULL, NULL);
    line = (Line){ .labels = { "a", "b", "c" }, .n_times = 1 };
    toy_set_listing(toy, &points, &line);
}

static void
teardown(void)
{
    toy_free(toy);
}

/* The reply to toy-list with these arguments. */
G_GNUC_PRINTF(1, 2)
static char *
list(const char *format, ...)
{
    va_list values;

    va_start(values, format);
    g_autofree char *arguments = g_strdup_vprintf(format, values);
    va_end(values);
    g_autofree char *request = g_strdup_printf("{'execute': 'toy-list', 'arguments': {%s}}\n",
                                               arguments);
    return toy_ask(toy, request);
}

/* The string that a reply has for a member, or NULL. */
static char *
word_in(const char *reply, const char *name)
{
    g_autofree char *start = g_strdup_printf("\"%s\": \"", name);
    const char *found = strstr(reply, start);

    if (!found)
        return NULL;
    found += strlen(start);
    return g_strndup(found, strcspn(found, "\""));
}

static char *
generation_of(char *reply)
{
    char *generation = word_in(reply, "generation");

    g_free(reply);
    ck_assert_ptr_nonnull(generation);
    return generation;
}

static void
assert_reply(char *reply, const char *start)
{
    ck_assert_msg(g_str_has_prefix(reply, start), "%s is not %s", reply, start);
    g_free(reply);
}

static void
assert_error(char *reply, const char *text)
{
    g_autofree char *error = word_in(reply, "desc");

    ck_assert_msg(error != NULL, "%s", reply);
    ck_assert_str_eq(error, text);
    g_free(reply);
}

START_TEST(a_short_list_is_told_in_one_page)
{
    g_autofree char *reply = list("%s", "");
    g_autofree char *generation = word_in(reply, "generation");
    g_autofree char *expected = g_strdup_printf(
        "{\"return\": {\"rows\": [[0, 7, \"a\"], [1, 7, \"b\"], [2, 7, \"c\"]], "
        "\"columns\": [\"x\", \"y\", \"label\"], \"generation\": \"%s\"}}\n",
        generation);

    ck_assert_str_eq(reply, expected);
    ck_assert_uint_eq(line.n_frees, 1);
}
END_TEST

START_TEST(what_has_not_changed_costs_sixty_bytes)
{
    g_autofree char *generation = generation_of(list("%s", ""));
    g_autofree char *reply = list("'since': '%s'", generation);
    g_autofree char *expected = g_strdup_printf(
        "{\"return\": {\"rows\": [], \"generation\": \"%s\"}}\n", generation);

    ck_assert_str_eq(reply, expected);
    ck_assert_uint_le(strlen(reply), 60);
}
END_TEST

START_TEST(changes_are_rows_that_came_or_differ_and_keys_that_went)
{
    g_autofree char *generation = generation_of(list("%s", ""));

    line.labels[0] = NULL;
    line.labels[1] = "other";
    line.labels[3] = "new";
    assert_reply(list("'since': '%s'", generation),
                 "{\"return\": {\"rows\": [[1, 7, \"other\"], [3, 7, \"new\"]], \"removed\": [0], "
                 "\"columns\": [\"x\", \"y\", \"label\"], \"generation\": \"");
}
END_TEST

START_TEST(changes_that_were_undone_are_none)
{
    g_autofree char *generation = generation_of(list("%s", ""));

    line.labels[0] = NULL;
    g_free(list("%s", ""));
    line.labels[0] = "a";
    assert_reply(list("'since': '%s'", generation), "{\"return\": {\"rows\": [], \"generation\"");
}
END_TEST

START_TEST(since_an_unknown_generation_the_whole_list_is_told)
{
    assert_reply(list("%s", "'since': 'what', 'limit': 1"),
                 "{\"return\": {\"rows\": [[0, 7, \"a\"]], "
                 "\"columns\": [\"x\", \"y\", \"label\"], \"reset\": true, \"next\": \"");
}
END_TEST

START_TEST(columns_are_told_as_they_are_asked_for)
{
    assert_reply(list("%s", "'columns': ['label', 'x'], 'limit': 1"),
                 "{\"return\": {\"rows\": [[\"a\", 0]], \"columns\": [\"label\", \"x\"]");
    assert_reply(list("%s", "'columns': [], 'limit': 1"),
                 "{\"return\": {\"rows\": [[0, 7, \"a\"]]");
}
END_TEST

START_TEST(without_the_key_changes_are_the_whole_list)
{
    g_autofree char *generation = generation_of(list("%s", "'columns': ['label']"));

    assert_reply(list("'columns': ['label'], 'since': '%s'", generation),
                 "{\"return\": {\"rows\": [], \"gen");
    line.labels[0] = "A";
    assert_reply(list("'columns': ['label'], 'since': '%s'", generation),
                 "{\"return\": {\"rows\": [[\"A\"], [\"b\"], [\"c\"]], \"columns\": [\"label\"], "
                 "\"reset\": true, \"gen");
}
END_TEST

static gboolean
fill_with_twins(GaTable *table, gpointer data, G_GNUC_UNUSED GError **error)
{
    for (guint i = 0; i < 2; i++)
        ga_table_add(table, &(Point){ 1, i, ((Line *)data)->labels[0] });
    return TRUE;
}

START_TEST(where_rows_have_the_same_key_changes_are_the_whole_list)
{
    static const GaListing twins = { &point_type, fill_with_twins };

    toy_set_listing(toy, &twins, &line);
    g_autofree char *generation = generation_of(list("%s", ""));
    line.labels[0] = "A";
    assert_reply(list("'since': '%s'", generation),
                 "{\"return\": {\"rows\": [[1, 0, \"A\"], [1, 1, \"A\"]], "
                 "\"columns\": [\"x\", \"y\", \"label\"], \"reset\": true");
}
END_TEST

START_TEST(all_pages_show_one_moment)
{
    g_autofree char *first = list("%s", "'limit': 2");
    g_autofree char *cursor = word_in(first, "next");

    line.labels[2] = "later";
    g_autofree char *second = list("'limit': 2, 'cursor': '%s'", cursor);
    ck_assert(g_str_has_prefix(second, "{\"return\": {\"rows\": [[2, 7, \"c\"]], \"columns\""));
    ck_assert_ptr_null(word_in(second, "next"));
    g_autofree char *generation = word_in(second, "generation");
    ck_assert_ptr_nonnull(strstr(first, generation));
    assert_reply(list("'since': '%s'", generation),
                 "{\"return\": {\"rows\": [[2, 7, \"later\"]], \"columns\"");
}
END_TEST

START_TEST(changes_come_in_pages_too)
{
    static const char *const expected[] = {
        "{\"return\": {\"rows\": [[1, 7, \"other\"]], \"columns\"",
        "{\"return\": {\"rows\": [[3, 7, \"new\"]], \"columns\"",
        "{\"return\": {\"rows\": [], \"removed\": [0], \"columns\"",
        "{\"return\": {\"rows\": [], \"removed\": [2], \"columns\"",
    };
    g_autofree char *generation = generation_of(list("%s", ""));
    g_autofree char *cursor = NULL;

    line = (Line){ .labels = { NULL, "other", NULL, "new" }, .n_times = 1 };
    for (guint i = 0; i < G_N_ELEMENTS(expected); i++) {
        char *reply = cursor ? list("'limit': 1, 'cursor': '%s'", cursor)
                             : list("'limit': 1, 'since': '%s'", generation);
        g_free(cursor);
        cursor = word_in(reply, "next");
        assert_reply(reply, expected[i]);
    }
    ck_assert_ptr_null(cursor);
}
END_TEST

START_TEST(pages_are_as_large_as_they_may_be)
{
    g_autofree char *label = g_strnfill(1000, 'x');
    gsize n = 0;
    g_autofree char *cursor = NULL;

    line = (Line){ .labels = { label, label, label, label }, .n_times = 10 };
    do {
        g_autofree char *reply = cursor ? list("'max-bytes': 5000, 'cursor': '%s'", cursor)
                                        : list("%s", "'max-bytes': 5000");
        ck_assert_uint_le(strlen(reply), 5000);
        ck_assert_uint_ge(strlen(reply), 1000);
        g_free(cursor);
        cursor = word_in(reply, "next");
        ck_assert_uint_lt(n++, 40);
    } while (cursor);
    ck_assert_uint_ge(n, 10);
    ck_assert_uint_le(n, 14);
    g_autofree char *tiny = list("%s", "'max-bytes': 1");
    ck_assert_uint_ge(strlen(tiny), 1000);
}
END_TEST

START_TEST(a_list_without_room_is_told_in_parts)
{
    g_autofree char *label = g_strnfill(1000, 'x');
    g_autofree char *cursor = NULL;
    guint n = 0;

    line = (Line){ .labels = { label, label, label, label }, .n_times = 1000, .breaks = TRUE };
    do {
        g_autofree char *reply = cursor ? list("'max-bytes': 1048576, 'cursor': '%s'", cursor)
                                        : list("%s", "'max-bytes': 1048576, 'since': 'what'");
        g_autofree char *row = g_strdup_printf("[%u, 7, ", n);

        ck_assert_ptr_nonnull(strstr(reply, row));
        ck_assert_ptr_null(word_in(reply, "generation"));
        ck_assert_int_eq(strstr(reply, "\"reset\": true") != NULL, n == 0);
        for (const char *at = reply; (at = strstr(at, ", 7, ")); at++)
            n++;
        g_free(cursor);
        cursor = word_in(reply, "next");
    } while (cursor);
    ck_assert_uint_eq(n, N_POINTS * 1000);
}
END_TEST

/* Or the rest could change and nobody would be told. */
START_TEST(a_part_is_nothing_to_have_changes_since)
{
    g_autofree char *label = g_strnfill(1000, 'x');

    line = (Line){ .labels = { label, label, label, label }, .n_times = 1000, .breaks = TRUE };
    g_autofree char *reply = list("%s", "'limit': 1");
    g_autofree char *cursor = word_in(reply, "next");
    g_autofree char *part = g_strndup(cursor, strcspn(cursor, "."));
    assert_reply(list("'limit': 1, 'since': '%s'", part), "{\"return\": {\"rows\": [[0, 7, ");
}
END_TEST

START_TEST(a_list_without_room_that_has_no_parts_is_refused)
{
    g_autofree char *label = g_strnfill(1000, 'x');

    line = (Line){ .labels = { label, label, label, label }, .n_times = 1000 };
    assert_error(list("%s", ""), "budget: the table is larger than 2097152 bytes");
}
END_TEST

START_TEST(what_cannot_be_listed_is_refused)
{
    line.refusal = "no points";
    assert_error(list("%s", ""), "not-found: no points");
    ck_assert_uint_eq(line.n_frees, 1);
}
END_TEST

START_TEST(a_cursor_is_of_one_list_that_is_kept)
{
    g_autofree char *reply = list("%s", "'limit': 1");
    g_autofree char *cursor = word_in(reply, "next");

    assert_error(list("'columns': ['x'], 'cursor': '%s'", cursor), "cursor-expired: start over");
    for (guint i = 0; i < 4; i++) {
        line.labels[0] = (char *[]){ "m", "n", "o", "p" }[i];
        g_free(list("%s", ""));
    }
    assert_error(list("'cursor': '%s'", cursor), "cursor-expired: start over");
}
END_TEST

START_TEST(a_cursor_of_changes_needs_both_tables)
{
    g_autofree char *generation = generation_of(list("%s", ""));

    line.labels[0] = line.labels[1] = "other";
    g_autofree char *reply = list("'limit': 1, 'since': '%s'", generation);
    g_autofree char *cursor = word_in(reply, "next");
    for (guint i = 0; i < 3; i++) {
        line.labels[2] = (char *[]){ "m", "n", "o" }[i];
        g_free(list("%s", ""));
    }
    assert_error(list("'cursor': '%s'", cursor), "cursor-expired: start over");
}
END_TEST

START_TEST(another_agent_has_other_generations)
{
    g_autofree char *generation = generation_of(list("%s", ""));

    toy_free(toy);
    toy = toy_new(NULL, NULL);
    toy_set_listing(toy, &points, &line);
    g_autofree char *other = generation_of(list("%s", ""));
    ck_assert_str_ne(generation, other);
}
END_TEST

START_TEST(what_can_never_be_right_is_refused)
{
    static const struct {
        const char *arguments, *error;
    } cases[] = {
        { "'limit': 0", "bad-value: limit is at least 1" },
        { "'max-bytes': 1048577", "bad-value: max-bytes is at most 1048576" },
        { "'columns': ['x', 'z']", "bad-value: there is no column 'z'" },
        { "'columns': ['x', 'y', 'x']", "bad-value: column 'x' stands twice" },
        { "'cursor': 'a..1', 'since': 'a'",
          "bad-value: a cursor knows itself what it goes on with" },
        { "'cursor': ''", "bad-value: '' is no cursor" },
        { "'cursor': 'a.1'", "bad-value: 'a.1' is no cursor" },
        { "'cursor': 'a..-1'", "bad-value: 'a..-1' is no cursor" },
        { "'cursor': 'a..4294967296'", "bad-value: 'a..4294967296' is no cursor" },
        { "'cursor': 'a..1'", "cursor-expired: start over" },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_error(list("%s", cases[i].arguments), cases[i].error);
    ck_assert_uint_eq(line.n_frees, G_N_ELEMENTS(cases));
}
END_TEST

START_TEST(a_list_that_may_wait_is_made_on_a_thread)
{
    static const GaListing slow = { &point_type, fill, TRUE, count_free };
    static const char request[] = "{'execute': 'toy-list'}\n";

    toy_set_listing(toy, &slow, &line);
    memory_send(toy->channel, request, strlen(request));
    while (line.n_frees == 0)
        g_main_context_iteration(NULL, TRUE);
    toy_run();
    assert_reply(toy_received(toy->channel), "{\"return\": {\"rows\": [[0, 7, \"a\"]");
    ck_assert(line.filled_on != g_thread_self() && line.freed_on == g_thread_self());
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("listing");
    TCase *tests = tcase_create("listing");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_short_list_is_told_in_one_page);
    tcase_add_test(tests, what_has_not_changed_costs_sixty_bytes);
    tcase_add_test(tests, changes_are_rows_that_came_or_differ_and_keys_that_went);
    tcase_add_test(tests, changes_that_were_undone_are_none);
    tcase_add_test(tests, since_an_unknown_generation_the_whole_list_is_told);
    tcase_add_test(tests, columns_are_told_as_they_are_asked_for);
    tcase_add_test(tests, without_the_key_changes_are_the_whole_list);
    tcase_add_test(tests, where_rows_have_the_same_key_changes_are_the_whole_list);
    tcase_add_test(tests, all_pages_show_one_moment);
    tcase_add_test(tests, changes_come_in_pages_too);
    tcase_add_test(tests, pages_are_as_large_as_they_may_be);
    tcase_add_test(tests, a_list_without_room_is_told_in_parts);
    tcase_add_test(tests, a_part_is_nothing_to_have_changes_since);
    tcase_add_test(tests, a_list_without_room_that_has_no_parts_is_refused);
    tcase_add_test(tests, what_cannot_be_listed_is_refused);
    tcase_add_test(tests, a_cursor_is_of_one_list_that_is_kept);
    tcase_add_test(tests, a_cursor_of_changes_needs_both_tables);
    tcase_add_test(tests, another_agent_has_other_generations);
    tcase_add_test(tests, what_can_never_be_right_is_refused);
    tcase_add_test(tests, a_list_that_may_wait_is_made_on_a_thread);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
