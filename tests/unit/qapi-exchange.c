/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests that are written and replies that are read. */
#include "runtime/qapi-exchange.h"

#include <string.h>

#include "runner.h"
#include "runtime/qapi-error.h"
#include "toy-schema.h"

START_TEST(a_request_has_arguments_or_not)
{
    char label[] = "a \"b\"";
    const Point point = { 1, -2, label };
    gsize size;
    g_autofree char *with = qapi_request_text("toy-draw", &point_type, &point, &size);

    ck_assert_str_eq(with, "{\"execute\": \"toy-draw\", \"arguments\": "
                           "{\"x\": 1, \"y\": -2, \"label\": \"a \\\"b\\\"\"}}");
    ck_assert_uint_eq(size, strlen(with));

    g_autofree char *without = qapi_request_text("toy-draw", NULL, NULL, &size);
    ck_assert_str_eq(without, "{\"execute\": \"toy-draw\"}");
}
END_TEST

static QapiReply
read_point(const char *line, Point **ret_point, GError **error)
{
    return qapi_reply_read(line, strlen(line), &point_type, ret_point, error);
}

START_TEST(a_result_is_read)
{
    GError *error = NULL;
    Point *point = NULL;

    ck_assert_int_eq(read_point("{\"return\": {\"x\": 1, \"y\": 2, \"new\": []}}", &point, &error),
                     QAPI_REPLY_RETURN);
    ck_assert_int_eq(point->x, 1);
    ck_assert_int_eq(point->y, 2);
    qapi_free(&point_type, point);
}
END_TEST

START_TEST(a_result_that_nobody_wants_may_be_anything)
{
    static const char line[] = "{\"return\": [1, {}]}";
    GError *error = NULL;

    ck_assert_int_eq(qapi_reply_read(line, strlen(line), NULL, NULL, &error), QAPI_REPLY_RETURN);
    ck_assert_ptr_null(error);
}
END_TEST

START_TEST(an_error_is_the_servers)
{
    static const struct {
        const char *line;
        QapiErrorClass class;
        const char *text;
    } cases[] = {
        { "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"no\"}}",
          QAPI_ERROR_COMMAND_NOT_FOUND, "no" },
        { "{\"error\": {\"class\": \"SomethingNew\", \"desc\": \"so\"}}", QAPI_ERROR_GENERIC,
          "so" },
        { "{\"error\": {}}", QAPI_ERROR_GENERIC, "failed without giving a reason" },
        { "{\"error\": {\"class\": 1, \"desc\": []}}", QAPI_ERROR_GENERIC,
          "failed without giving a reason" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        Point *point = NULL;

        ck_assert_int_eq(read_point(cases[i].line, &point, &error), QAPI_REPLY_ERROR);
        ck_assert(g_error_matches(error, QAPI_ERROR, (gint)cases[i].class));
        ck_assert_str_eq(error->message, cases[i].text);
        ck_assert_ptr_null(point);
    }
}
END_TEST

START_TEST(what_is_no_reply_is_told)
{
    static const char *const lines[] = { "",
                                         "{",
                                         "[]",
                                         "7",
                                         "{}",
                                         "{\"error\": 7}",
                                         "{\"return\": 7}",
                                         "{\"return\": {\"x\": 1}}",
                                         "{\"return\": {}} {}" };

    for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autoptr(GError) error = NULL;
        Point *point = NULL;

        ck_assert_int_eq(read_point(lines[i], &point, &error), QAPI_REPLY_BROKEN);
        ck_assert_ptr_nonnull(error);
        ck_assert_ptr_null(point);
    }
}
END_TEST

static Suite *
qapi_exchange_suite(void)
{
    Suite *suite = suite_create("qapi-exchange");
    TCase *tcase = tcase_create("all");

    tcase_add_test(tcase, a_request_has_arguments_or_not);
    tcase_add_test(tcase, a_result_is_read);
    tcase_add_test(tcase, a_result_that_nobody_wants_may_be_anything);
    tcase_add_test(tcase, an_error_is_the_servers);
    tcase_add_test(tcase, what_is_no_reply_is_told);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void)
{
    return run_suite(qapi_exchange_suite());
}
