/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arguments to structs: every text, and which of several mistakes is named. */
#include "runtime/qapi-read.h"

#include <string.h>

#include "runner.h"
#include "runtime/qapi-parse.h"
#include "runtime/qapi-write.h"
#include "toy-schema.h"

static QapiValue *
parse(const char *text)
{
    g_autoptr(GError) error = NULL;
    QapiValue *value = qapi_parse(text, strlen(text), &error);

    ck_assert_msg(value != NULL, "%s", error ? error->message : "");
    return value;
}

/* Read `text` as a drawing. Returns the error, or NULL and the drawing written again. */
static char *
read_and_write(const char *text, QapiReadMode mode, char **ret_text)
{
    g_autoptr(QapiValue) value = parse(text);
    g_autoptr(QapiWriter) writer = qapi_writer_new();
    g_autoptr(GError) error = NULL;
    Drawing drawing = { 0 };
    const Drawing zeroed = { 0 };

    if (!qapi_read_struct(&drawing_type, value, qapi_value_root(value), mode, &drawing, &error)) {
        ck_assert_mem_eq(&drawing, &zeroed, sizeof(drawing));
        return g_strdup(error->message);
    }
    qapi_write_struct(writer, &drawing_type, &drawing);
    *ret_text = qapi_writer_to_text(writer, NULL);
    qapi_clear(&drawing_type, &drawing, mode == QAPI_READ_BORROW);
    ck_assert_mem_eq(&drawing, &zeroed, sizeof(drawing));
    return NULL;
}

START_TEST(what_is_read_is_written_again)
{
    static const char *const texts[] = {
        "{}",
        "{\"title\": \"\"}",
        "{\"title\": \"\\u0000\\u20AC\"}",
        "{\"flags\": []}",
        "{\"flags\": [true, false]}",
        "{\"tags\": [\"a\", \"\", \"c\"]}",
        "{\"origin\": {\"x\": -9223372036854775808, \"y\": 9223372036854775807}}",
        "{\"origin\": {\"x\": 1, \"y\": 2, \"label\": \"here\"}}",
        "{\"shapes\": [{\"radius\": 0.5, \"kind\": \"circle\"}]}",
        "{\"shapes\": [{\"points\": [{\"x\": 1, \"y\": 2}], \"kind\": \"polygon\"}]}",
        "{\"shapes\": [{\"name\": \"p\", \"points\": [], \"kind\": \"polygon\"}]}",
        "{\"size\": 7}",
        "{\"size\": \"green\"}",
        "{\"size\": [{\"x\": 1, \"y\": 2, \"label\": \"l\"}]}",
        "{\"colour\": \"blue\"}",
        "{\"picture\": \"\"}",
        "{\"picture\": \"AAECAwQ=\"}",
        "{\"extra\": null}",
        "{\"extra\": [1, {\"b\": \"\\uD83D\\uDE00\"}, [], {}]}",
        "{\"count\": 18446744073709551615, \"level\": 255}",
        "{\"offset\": -32768}",
        "{\"offset\": 32767}",
        "{\"ratio\": 1e+17}",
    };

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *text = NULL;
        g_autofree char *message = read_and_write(texts[i], (QapiReadMode)_i, &text);
        ck_assert_pstr_eq(message, NULL);
        ck_assert_str_eq(text, texts[i]);
    }
}
END_TEST

static const struct {
    const char *text;
    const char *message;
} mistakes[] = {
    { "{\"title\": null}", "Invalid parameter type for 'title', expected: string" },
    { "{\"flags\": {}}", "Invalid parameter type for 'flags', expected: array" },
    { "{\"flags\": [true, 1]}", "Invalid parameter type for 'flags[1]', expected: boolean" },
    { "{\"origin\": []}", "Invalid parameter type for 'origin', expected: object" },
    { "{\"origin\": {\"y\": 1}}", "Parameter 'origin.x' is missing" },
    { "{\"origin\": {\"x\": 1.0, \"y\": 1}}",
      "Invalid parameter type for 'origin.x', expected: integer" },
    { "{\"origin\": {\"x\": 9223372036854775808, \"y\": 1}}",
      "Invalid parameter type for 'origin.x', expected: integer" },
    { "{\"origin\": {\"x\": 1, \"y\": 1, \"z\": 1}}", "Parameter 'origin.z' is unexpected" },
    { "{\"colour\": 1}", "Invalid parameter type for 'colour', expected: string" },
    { "{\"colour\": \"RED\"}", "Parameter 'colour' does not accept value 'RED'" },
    { "{\"size\": true}", "Invalid parameter type for 'size', expected: Size" },
    { "{\"size\": 1.5}", "Invalid parameter type for 'size', expected: integer" },
    { "{\"size\": \"pink\"}", "Parameter 'size' does not accept value 'pink'" },
    { "{\"size\": [{\"x\": 1}]}", "Parameter 'size[0].y' is missing" },
    { "{\"picture\": 1}", "Invalid parameter type for 'picture', expected: string" },
    { "{\"picture\": \"_\"}", "Base64 data contains invalid characters" },
    { "{\"level\": -1}", "Parameter 'level' expects uint8" },
    { "{\"level\": 256}", "Parameter 'level' expects uint8" },
    { "{\"level\": \"1\"}", "Parameter 'level' expects uint8" },
    { "{\"offset\": 32768}", "Parameter 'offset' expects int16" },
    { "{\"offset\": -32769}", "Parameter 'offset' expects int16" },
    { "{\"offset\": null}", "Invalid parameter type for 'offset', expected: integer" },
    { "{\"count\": 1.0}", "Parameter 'count' expects uint64" },
    { "{\"ratio\": \"1\"}", "Invalid parameter type for 'ratio', expected: number" },
    { "{\"shapes\": [{}]}", "Parameter 'shapes[0].kind' is missing" },
    { "{\"shapes\": [{\"kind\": \"square\"}]}", "Parameter 'kind' does not accept value 'square'" },
    { "{\"shapes\": [{\"kind\": \"circle\"}]}", "Parameter 'shapes[0].radius' is missing" },
    { "{\"shapes\": [{\"kind\": \"polygon\", \"name\": \"n\", \"points\": [{\"x\": 1, \"y\": 2, "
      "\"label\": \"l\"}, {\"x\": 1}]}]}",
      "Parameter 'shapes[0].points[1].y' is missing" },
    { "{\"shapes\": [{\"kind\": \"circle\", \"radius\": 1, \"points\": []}]}",
      "Parameter 'shapes[0].points' is unexpected" },
    { "{\"nonsense\": 1}", "Parameter 'nonsense' is unexpected" },
    /* The schema's order, not the request's; leftovers last, but inner ones before outer ones. */
    { "{\"nonsense\": 1, \"ratio\": 0, \"offset\": 0, \"tags\": 0, \"title\": 0}",
      "Invalid parameter type for 'title', expected: string" },
    { "{\"nonsense\": 1, \"origin\": {\"x\": 1, \"y\": 1, \"z\": 1}}",
      "Parameter 'origin.z' is unexpected" },
    { "{\"title\": \"t\", \"tags\": [\"a\", \"b\", 3]}",
      "Invalid parameter type for 'tags[2]', expected: string" },
};

START_TEST(mistakes_get_upstreams_texts)
{
    for (guint i = 0; i < G_N_ELEMENTS(mistakes); i++) {
        g_autofree char *text = NULL;
        g_autofree char *message = read_and_write(mistakes[i].text, QAPI_READ_BORROW, &text);
        ck_assert_pstr_eq(message, mistakes[i].message);
    }
}
END_TEST

START_TEST(results_may_have_members_of_a_newer_sender)
{
    static const char text[] = "{\"title\": \"t\", \"later\": 1, "
                               "\"shapes\": [{\"kind\": \"circle\", \"radius\": 1, \"z\": {}}]}";
    g_autofree char *written = NULL;
    g_autofree char *refused = read_and_write(text, QAPI_READ_BORROW, &written);

    ck_assert_pstr_eq(refused, "Parameter 'shapes[0].z' is unexpected");
    g_autofree char *message = read_and_write(text, QAPI_READ_COPY, &written);
    ck_assert_pstr_eq(message, NULL);
    ck_assert_ptr_nonnull(strstr(written, "\"radius\": 1"));
}
END_TEST

START_TEST(a_negative_number_wraps_to_uint64)
{
    g_autofree char *text = NULL;
    g_autofree char *message = read_and_write("{\"count\": -1}", QAPI_READ_BORROW, &text);

    ck_assert_pstr_eq(message, NULL);
    ck_assert_str_eq(text, "{\"count\": 18446744073709551615}");
}
END_TEST

START_TEST(no_arguments_are_an_empty_object)
{
    g_autoptr(GError) error = NULL;
    Drawing drawing = { 0 };
    Point point = { 0 };

    ck_assert(qapi_read_struct(&drawing_type, NULL, NULL, QAPI_READ_BORROW, &drawing, &error));
    ck_assert(!qapi_read_struct(&point_type, NULL, NULL, QAPI_READ_BORROW, &point, &error));
    ck_assert_str_eq(error->message, "Parameter 'x' is missing");
}
END_TEST

START_TEST(borrowed_strings_lie_in_the_value_and_copies_do_not)
{
    g_autoptr(QapiValue) value = parse("{\"title\": \"text\"}");
    const QapiNode *root = qapi_value_root(value);
    const char *text = qapi_node_text(value, qapi_node_member(value, root, "title"));
    Drawing borrowed = { 0 }, copied = { 0 };

    ck_assert(qapi_read_struct(&drawing_type, value, root, QAPI_READ_BORROW, &borrowed, NULL));
    ck_assert(qapi_read_struct(&drawing_type, value, root, QAPI_READ_COPY, &copied, NULL));
    ck_assert_ptr_eq(borrowed.title, text);
    ck_assert_ptr_ne(copied.title, text);
    ck_assert_str_eq(copied.title, text);
    qapi_clear(&drawing_type, &borrowed, TRUE);
    qapi_clear(&drawing_type, &copied, FALSE);
}
END_TEST

START_TEST(base64_is_decoded_without_changing_the_value)
{
    g_autoptr(QapiValue) value = parse("{\"picture\": \"YWJj\"}");
    const QapiNode *root = qapi_value_root(value);

    for (guint i = 0; i < 2; i++) {
        Drawing drawing = { 0 };
        gsize size;
        ck_assert(qapi_read_struct(&drawing_type, value, root, QAPI_READ_BORROW, &drawing, NULL));
        const char *data = g_bytes_get_data(drawing.picture, &size);
        ck_assert_uint_eq(size, 3);
        ck_assert_mem_eq(data, "abc", 3);
        qapi_clear(&drawing_type, &drawing, TRUE);
    }
}
END_TEST

START_TEST(a_member_of_type_any_outlives_the_request)
{
    QapiValue *value = parse("{\"extra\": {\"a\": 1}}");
    Drawing drawing = { 0 };

    ck_assert(qapi_read_struct(&drawing_type, value, qapi_value_root(value), QAPI_READ_COPY,
                               &drawing, NULL));
    qapi_value_unref(value);

    g_autoptr(QapiWriter) writer = qapi_writer_new();
    qapi_write_struct(writer, &drawing_type, &drawing);
    g_autofree char *text = qapi_writer_to_text(writer, NULL);
    ck_assert_str_eq(text, "{\"extra\": {\"a\": 1}}");
    qapi_clear(&drawing_type, &drawing, FALSE);
}
END_TEST

START_TEST(a_value_of_any_type_can_be_read_alone)
{
    const QapiType points_type = { .kind = QAPI_KIND_LIST, .element = &point_type };
    g_autoptr(QapiValue) good = parse("[{\"x\": 1, \"y\": 2, \"label\": \"l\"}]");
    g_autoptr(QapiValue) bad = parse("[{\"x\": 1, \"y\": 2, \"label\": \"l\"}, {\"x\": []}]");
    g_autoptr(GError) error = NULL;
    GPtrArray *points = NULL;

    ck_assert(qapi_read(&points_type, good, qapi_value_root(good), QAPI_READ_COPY, "points",
                        &points, &error));
    ck_assert_uint_eq(points->len, 1);
    qapi_free(&points_type, points);

    points = NULL;
    ck_assert(!qapi_read(&points_type, bad, qapi_value_root(bad), QAPI_READ_BORROW, "points",
                         &points, &error));
    ck_assert_str_eq(error->message, "Invalid parameter type for 'points[1].x', expected: integer");
    ck_assert_ptr_null(points);
}
END_TEST

/* key-0, key-1 ... */
static GPtrArray *
numbered_keys(guint n_keys)
{
    GPtrArray *keys = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < n_keys; i++)
        g_ptr_array_add(keys, g_strdup_printf("key-%u", i));
    return keys;
}

static const char *const *
strings_of(GPtrArray *keys)
{
    return (const char *const *)(gpointer)keys->pdata;
}

/* Names that a model of the table gave, which was compared with qemu-ga on random requests. The
 * members consumed are the last ones, the very last first. */
START_TEST(the_unexpected_member_that_is_named_is_upstreams)
{
    static const struct {
        guint n_keys;
        guint n_consumed;
        const char *name;
    } cases[] = {
        { 1, 0, "key-0" },     { 1, 1, NULL },          { 2, 0, "key-1" },
        { 2, 1, "key-0" },     { 7, 1, "key-4" },       { 7, 3, "key-1" },
        { 8, 3, "key-4" },     { 9, 0, "key-4" },       { 13, 1, "key-11" },
        { 13, 3, "key-4" },    { 20, 0, "key-1" },      { 40, 3, "key-28" },
        { 80, 0, "key-1" },    { 150, 1, "key-115" },   { 300, 3, "key-102" },
        { 700, 0, "key-293" }, { 2000, 1, "key-1494" }, { 5000, 3, "key-2357" },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) keys = numbered_keys(cases[i].n_keys);
        g_autoptr(GPtrArray) consumed = g_ptr_array_new();
        for (guint j = 1; j <= cases[i].n_consumed; j++)
            g_ptr_array_add(consumed, keys->pdata[keys->len - j]);
        const char *name = qapi_first_unexpected(strings_of(keys), keys->len, strings_of(consumed),
                                                 consumed->len);
        ck_assert_pstr_eq(name, cases[i].name);
    }
}
END_TEST

/* All strings of `n_pairs` pairs out of "Ez" and "FY", which collide. */
static GPtrArray *
colliding_keys(guint n_pairs)
{
    GPtrArray *keys = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < 1u << n_pairs; i++) {
        GString *key = g_string_new(NULL);
        for (guint pair = 0; pair < n_pairs; pair++)
            g_string_append(key, i >> pair & 1 ? "FY" : "Ez");
        g_ptr_array_add(keys, g_string_free(key, FALSE));
    }
    return keys;
}

static const char *
first_on_the_wire(GPtrArray *keys)
{
    const char *first = NULL;

    for (guint i = 0; i < keys->len; i++)
        if (!first || qapi_key_bucket(keys->pdata[i]) <= qapi_key_bucket(first))
            first = keys->pdata[i];
    return first;
}

START_TEST(colliding_keys_cost_no_quadratic_time)
{
    g_autoptr(GPtrArray) keys = colliding_keys(16);
    const char *consumed = first_on_the_wire(keys);
    const char *name = qapi_first_unexpected(strings_of(keys), keys->len, &consumed, 1);

    /* 65536 keys in one chain would take two billion probes to insert, and to find the slot. */
    guint position = 0;
    ck_assert(g_ptr_array_find_with_equal_func(keys, consumed, g_str_equal, &position));
    g_ptr_array_remove_index(keys, position);
    ck_assert_str_eq(name, first_on_the_wire(keys));
}
END_TEST

static Suite *
qapi_read_suite(void)
{
    Suite *suite = suite_create("qapi-read");
    TCase *tcase = tcase_create("all");

    tcase_add_loop_test(tcase, what_is_read_is_written_again, QAPI_READ_BORROW, QAPI_READ_COPY + 1);
    tcase_add_test(tcase, mistakes_get_upstreams_texts);
    tcase_add_test(tcase, results_may_have_members_of_a_newer_sender);
    tcase_add_test(tcase, a_negative_number_wraps_to_uint64);
    tcase_add_test(tcase, no_arguments_are_an_empty_object);
    tcase_add_test(tcase, borrowed_strings_lie_in_the_value_and_copies_do_not);
    tcase_add_test(tcase, base64_is_decoded_without_changing_the_value);
    tcase_add_test(tcase, a_member_of_type_any_outlives_the_request);
    tcase_add_test(tcase, a_value_of_any_type_can_be_read_alone);
    tcase_add_test(tcase, the_unexpected_member_that_is_named_is_upstreams);
    tcase_add_test(tcase, colliding_keys_cost_no_quadratic_time);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void)
{
    return run_suite(qapi_read_suite());
}
