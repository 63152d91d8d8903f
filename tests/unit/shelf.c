/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is kept of tables, how many and for how long. */
#include "core/shelf.h"

#include <string.h>

#include "runner.h"
#include "toy-schema.h"

#define SECOND G_USEC_PER_SEC

/* Of one row, about `size` bytes long. */
static GaTable *
table_of(const char *name, gsize size)
{
    g_autofree char *label = g_strnfill(size, 'x');
    const Point point = { 1, 2, label };
    GaTable *table = ga_table_new(&point_type, name, NULL, NULL, NULL);

    ck_assert(ga_table_add(table, &point));
    ck_assert(ga_table_finish(table, NULL));
    return table;
}

/* Returns its generation. */
static char *
put(GaShelf *shelf, const char *name, gsize size, gint64 now)
{
    GaTable *table = table_of(name, size);
    char *generation = g_strdup(ga_table_generation(table));

    ga_shelf_put(shelf, table, now);
    return generation;
}

static gboolean
has(GaShelf *shelf, const char *name, const char *generation, gint64 now)
{
    return ga_shelf_find(shelf, name, generation, GA_SHELF_POLL_US, now) != NULL;
}

START_TEST(a_table_is_found_by_name_and_generation)
{
    g_autoptr(GaShelf) shelf = ga_shelf_new();
    g_autofree char *first = put(shelf, "a", 1, 0);
    g_autofree char *second = put(shelf, "a", 2, 0);
    const GaTable *table = ga_shelf_find(shelf, "a", second, 1, 0);

    ck_assert_str_eq(ga_table_generation(table), second);
    ck_assert(has(shelf, "a", first, 0));
    ck_assert(!has(shelf, "b", first, 0));
}
END_TEST

START_TEST(the_one_not_asked_for_longest_goes_first)
{
    g_autoptr(GaShelf) shelf = ga_shelf_new();
    static const char *const names[] = { "a", "b", "c", "d", "e" };
    char *generations[G_N_ELEMENTS(names)];

    for (guint i = 0; i < 4; i++)
        generations[i] = put(shelf, names[i], i, i);
    ck_assert(has(shelf, "a", generations[0], 10));
    generations[4] = put(shelf, "e", 4, 11);
    for (guint i = 0; i < 5; i++) {
        ck_assert_int_eq(has(shelf, names[i], generations[i], 12), i != 1);
        g_free(generations[i]);
    }
}
END_TEST

START_TEST(large_ones_make_room_for_each_other)
{
    g_autoptr(GaShelf) shelf = ga_shelf_new();
    g_autofree char *small = put(shelf, "small", 10, 0);
    g_autofree char *large = put(shelf, "large", GA_SHELF_BYTES / 2, 1);

    ck_assert(has(shelf, "small", small, 2));
    g_autofree char *larger = put(shelf, "larger", GA_SHELF_BYTES / 2 + 1, 3);
    ck_assert(!has(shelf, "large", large, 4));
    ck_assert(has(shelf, "small", small, 4));
    ck_assert(has(shelf, "larger", larger, 4));
    g_autofree char *last = put(shelf, "last", GA_SHELF_BYTES / 2, 5);
    ck_assert(!has(shelf, "small", small, 6) && !has(shelf, "larger", larger, 6));
    ck_assert(has(shelf, "last", last, 6));
}
END_TEST

START_TEST(the_same_table_is_kept_once)
{
    g_autoptr(GaShelf) shelf = ga_shelf_new();
    g_autofree char *other = put(shelf, "other", 1, 0);

    for (guint i = 0; i < 10; i++) {
        g_autofree char *generation = put(shelf, "same", 1, i);
        ck_assert(has(shelf, "same", generation, i));
    }
    ck_assert(has(shelf, "other", other, 11));
}
END_TEST

START_TEST(a_table_grows_old_from_when_it_was_asked_for)
{
    g_autoptr(GaShelf) shelf = ga_shelf_new();
    g_autofree char *generation = put(shelf, "a", 1, 0);

    ck_assert(ga_shelf_find(shelf, "a", generation, GA_SHELF_PAGE_US, 30 * SECOND));
    ck_assert(ga_shelf_find(shelf, "a", generation, GA_SHELF_PAGE_US, 59 * SECOND));
    ck_assert(!ga_shelf_find(shelf, "a", generation, GA_SHELF_PAGE_US, 90 * SECOND));
    ck_assert(ga_shelf_find(shelf, "a", generation, GA_SHELF_POLL_US, 90 * SECOND));
}
END_TEST

START_TEST(what_nobody_asks_for_is_forgotten)
{
    g_autoptr(GaShelf) shelf = ga_shelf_new();
    g_autofree char *old = put(shelf, "old", 1, 0);
    g_autofree char *young = put(shelf, "young", 1, 300 * SECOND);

    ga_shelf_sweep(shelf, 600 * SECOND);
    ck_assert(has(shelf, "young", young, 600 * SECOND));
    ga_shelf_sweep(shelf, 601 * SECOND);
    ck_assert(!ga_shelf_find(shelf, "old", old, G_MAXINT64, 601 * SECOND));
    ck_assert(ga_shelf_find(shelf, "young", young, G_MAXINT64, 601 * SECOND));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("shelf");
    TCase *tests = tcase_create("shelf");

    tcase_add_test(tests, a_table_is_found_by_name_and_generation);
    tcase_add_test(tests, the_one_not_asked_for_longest_goes_first);
    tcase_add_test(tests, large_ones_make_room_for_each_other);
    tcase_add_test(tests, the_same_table_is_kept_once);
    tcase_add_test(tests, a_table_grows_old_from_when_it_was_asked_for);
    tcase_add_test(tests, what_nobody_asks_for_is_forgotten);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
