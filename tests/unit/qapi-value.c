/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ways through a parsed text. */
#include "runtime/qapi-value.h"

#include <string.h>

#include "runner.h"
#include "runtime/qapi-parse.h"

static QapiValue *
parse(const char *text)
{
    QapiValue *value = qapi_parse(text, strlen(text), NULL);

    ck_assert_ptr_nonnull(value);
    return value;
}

START_TEST(siblings_are_reached_over_their_subtrees)
{
    g_autoptr(QapiValue) value = parse("[1, [2, {\"a\": [3]}], \"four\", {}]");
    const QapiNode *root = qapi_value_root(value);
    const QapiNode *one = root + 1;
    const QapiNode *list = qapi_node_next(one);
    const QapiNode *text = qapi_node_next(list);
    const QapiNode *object = qapi_node_next(text);

    ck_assert_uint_eq(root->n_children, 4);
    ck_assert_int_eq(one->int64, 1);
    ck_assert_uint_eq(list->n_children, 2);
    ck_assert_str_eq(qapi_node_text(value, text), "four");
    ck_assert_uint_eq(object->kind, QAPI_NODE_OBJECT);
    ck_assert_ptr_eq(qapi_node_next(object), qapi_node_next(root));
}
END_TEST

START_TEST(members_are_found_by_name)
{
    g_autoptr(QapiValue)
        value = parse("{\"a\": {\"inner\": 1}, \"ab\": \"x\", \"\": null, \"\\u0000\": 7}");
    const QapiNode *root = qapi_value_root(value);

    ck_assert_uint_eq(qapi_node_member(value, root, "a")->kind, QAPI_NODE_OBJECT);
    ck_assert_str_eq(qapi_node_text(value, qapi_node_member(value, root, "ab")), "x");
    ck_assert_uint_eq(qapi_node_member(value, root, "")->kind, QAPI_NODE_NULL);
    ck_assert_int_eq(qapi_node_member(value, root, "\xC0\x80")->int64, 7);
    ck_assert_ptr_null(qapi_node_member(value, root, "inner"));
    ck_assert_ptr_null(qapi_node_member(value, root, "abc"));
}
END_TEST

START_TEST(a_key_is_not_taken_for_a_value_nor_a_value_for_a_key)
{
    g_autoptr(QapiValue) value = parse("{\"a\": \"b\", \"c\": \"a\"}");
    const QapiNode *root = qapi_value_root(value);

    ck_assert_ptr_null(qapi_node_member(value, root, "b"));
    ck_assert_str_eq(qapi_node_text(value, qapi_node_member(value, root, "a")), "b");
}
END_TEST

START_TEST(numbers_keep_their_kind)
{
    g_autoptr(QapiValue) value = parse("[-1, 18446744073709551615, 1.0]");
    const QapiNode *number = qapi_value_root(value) + 1;

    ck_assert_uint_eq(number[0].kind, QAPI_NODE_INT64);
    ck_assert_int_eq(number[0].int64, -1);
    ck_assert_uint_eq(number[1].kind, QAPI_NODE_UINT64);
    ck_assert_uint_eq(number[1].uint64, G_MAXUINT64);
    ck_assert_uint_eq(number[2].kind, QAPI_NODE_DOUBLE);
    ck_assert(number[2].number == 1.0);
}
END_TEST

START_TEST(the_last_reference_counts)
{
    QapiValue *value = parse("[\"text\"]");
    g_autoptr(QapiValue) other = qapi_value_ref(value);

    qapi_value_unref(value);
    ck_assert_str_eq(qapi_node_text(other, qapi_value_root(other) + 1), "text");
    qapi_value_unref(NULL);
}
END_TEST

static Suite *
qapi_value_suite(void)
{
    Suite *suite = suite_create("qapi-value");
    TCase *tcase = tcase_create("all");

    tcase_add_test(tcase, siblings_are_reached_over_their_subtrees);
    tcase_add_test(tcase, members_are_found_by_name);
    tcase_add_test(tcase, a_key_is_not_taken_for_a_value_nor_a_value_for_a_key);
    tcase_add_test(tcase, numbers_keep_their_kind);
    tcase_add_test(tcase, the_last_reference_counts);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void)
{
    return run_suite(qapi_value_suite());
}
