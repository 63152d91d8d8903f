/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages are what the schema says of them, which the core does not see. */
#include "core/page.h"

#include <string.h>

#include "gen/info.h"
#include "runner.h"
#include "runtime/qapi-parse.h"
#include "runtime/qapi-read.h"
#include "toy-schema.h"

/* Of so many points, of which those from `start` on are there. */
static GaTable *
table_of(guint start, guint end)
{
    GaTable *table = ga_table_new(&point_type, "points", NULL, NULL, NULL);

    for (guint i = start; i < end; i++)
        ck_assert(ga_table_add(table, &(Point){ i, 0, NULL }));
    ck_assert(ga_table_finish(table, NULL));
    return table;
}

static GaTable *
table_of_lacks(void)
{
    GPtrArray *columns = g_ptr_array_new();
    static const char *const names[] = { "x", "label", "y" };

    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        g_ptr_array_add(columns, (gpointer)(guintptr)names[i]);
    GaTable *table = ga_table_new(&point_type, "points", columns, NULL, NULL);
    for (guint i = 0; i < 3; i++) {
        ga_table_add(table, &(Point){ i, 0, NULL });
        ga_table_lack(table, "label", i ? "policy" : "platform");
        ga_table_lack(table, "y", "frozen");
    }
    ck_assert(ga_table_finish(table, NULL));
    g_ptr_array_free(columns, TRUE);
    return table;
}

static void
assert_order(const GaPage *page, const GaTable *table, const GaTable *before, const char *member)
{
    g_autoptr(QapiWriter) writer = qapi_writer_new();
    g_autoptr(NovacronTable) told = NULL;

    if (table)
        ga_page_write(page, table, before, writer);
    else
        ga_page_write_same(page, writer);
    g_autofree char *text = qapi_writer_to_text(writer, NULL);
    g_autoptr(QapiValue) value = qapi_parse(text, strlen(text), NULL);
    ck_assert(qapi_read(&novacron_table_type, value, qapi_value_root(value), QAPI_READ_COPY, "",
                        &told, NULL));
    qapi_writer_reset(writer);
    qapi_write(writer, &novacron_table_type, &told);
    g_autofree char *again = qapi_writer_to_text(writer, NULL);
    ck_assert_str_eq(text, again);
    ck_assert_msg(strstr(text, member) != NULL, "no %s in %s", member, text);
}

START_TEST(members_are_in_the_order_of_all_replies)
{
    g_autoptr(GaTable) table = table_of(2, 5);
    g_autoptr(GaTable) before = table_of(0, 4);
    g_autoptr(GaTable) partial = table_of_lacks();
    const GaPage page = { .limit = 2, .max_bytes = 4096, .since = "what" };
    const GaPage all = { .limit = 9, .max_bytes = 4096, .since = "what" };

    assert_order(&page, table, before, "\"next\"");
    assert_order(&all, table, before, "\"removed\"");
    assert_order(&page, table, NULL, "\"reset\"");
    assert_order(&page, partial, NULL,
                 "\"partial\": [{\"column\": \"label\", \"reason\": \"platform\"}, "
                 "{\"column\": \"y\", \"reason\": \"frozen\"}], \"next\"");
    assert_order(&page, NULL, NULL, "\"generation\"");
}
END_TEST

/* By name: the generator sees to it that whatever returns a table has them. */
START_TEST(the_arguments_of_a_page_are_found)
{
    GPtrArray *columns = g_ptr_array_new();
    const NovacronPage args = { .since = (char[]){ "one" },
                                .has_limit = TRUE,
                                .limit = 7,
                                .has_max_bytes = TRUE,
                                .max_bytes = 8,
                                .columns = columns };
    g_auto(GaPage) page = { 0 };

    ck_assert(ga_page_init(&page, &novacron_page_type, &args, NULL));
    ck_assert_str_eq(page.since, "one");
    ck_assert_uint_eq(page.limit, 7);
    ck_assert_uint_eq(page.max_bytes, 8);
    ck_assert_ptr_eq(page.columns, columns);
    g_ptr_array_free(columns, TRUE);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("page");
    TCase *tests = tcase_create("page");

    tcase_add_test(tests, members_are_in_the_order_of_all_replies);
    tcase_add_test(tests, the_arguments_of_a_page_are_found);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
