/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Structs and values to bytes. Expected texts were seen on qemu-ga 11.1.3. */
#include "runtime/qapi-write.h"

#include <math.h>
#include <string.h>

#include "runner.h"
#include "runtime/qapi-parse.h"
#include "toy-schema.h"

static char *
text_of(QapiWriter *writer)
{
    char *text = qapi_writer_to_text(writer, NULL);

    ck_assert(qapi_writer_is_empty(writer));
    qapi_writer_reset(writer);
    return text;
}

START_TEST(strings_are_escaped)
{
    static const struct {
        const char *text;
        const char *written;
    } cases[] = {
        { "", "\"\"" },
        { "plain / 'text' ~", "\"plain / 'text' ~\"" },
        { "\"\\\b\f\n\r\t", "\"\\\"\\\\\\b\\f\\n\\r\\t\"" },
        { "\x01\x0B\x1F\x7F", "\"\\u0001\\u000B\\u001F\\u007F\"" },
        { "\xC2\x80\xC3\xA9\xEF\xBF\xBD", "\"\\u0080\\u00E9\\uFFFD\"" },
        { "\xF0\x90\x80\x80\xF4\x8F\xBF\xBD", "\"\\uD800\\uDC00\\uDBFF\\uDFFD\"" },
        { "\xC0\x80", "\"\\u0000\"" },
        { "0123456789abcdefghijklmnopqrstuvwxyz\n0123456789abcdef",
          "\"0123456789abcdefghijklmnopqrstuvwxyz\\n0123456789abcdef\"" },
    };
    g_autoptr(QapiWriter) writer = qapi_writer_new();

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        qapi_writer_string(writer, cases[i].text);
        g_autofree char *text = text_of(writer);
        ck_assert_str_eq(text, cases[i].written);
    }
}
END_TEST

START_TEST(each_invalid_sequence_is_replaced_once)
{
#define R "\\uFFFD"
    static const struct {
        const char *text;
        const char *written;
    } cases[] = {
        { "\xFF\xFE", "\"" R R "\"" },
        { "\x80\xBF", "\"" R R "\"" },
        { "\xC3", "\"" R "\"" },
        { "\xC3(", "\"" R "(\"" },
        { "\xE2\x82", "\"" R "\"" },
        { "\xE2\x82\xC3\xA9", "\"" R "\\u00E9\"" },
        { "\xC1\xBF", "\"" R "\"" },
        { "\xE0\x80\x80", "\"" R "\"" },
        { "\xED\xA0\x80", "\"" R "\"" },
        { "\xEF\xBF\xBE", "\"" R "\"" },
        { "\xEF\xB7\x90", "\"" R "\"" },
        { "\xF4\x90\x80\x80", "\"" R "\"" },
        { "\xF8\x88\x80\x80\x80\x80", "\"" R R "\"" },
        { "\xFC\x84\x80\x80\x80\x80\x80", "\"" R R "\"" },
    };
#undef R
    g_autoptr(QapiWriter) writer = qapi_writer_new();

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        qapi_writer_string(writer, cases[i].text);
        g_autofree char *text = text_of(writer);
        ck_assert_str_eq(text, cases[i].written);
    }
}
END_TEST

START_TEST(every_character_survives_escaping_and_parsing)
{
    g_autoptr(QapiWriter) writer = qapi_writer_new();

    for (gunichar code = 1; code <= 0x10FFFF; code += code < 0x900 ? 1 : 61) {
        gboolean is_nonchar = (code >= 0xFDD0 && code <= 0xFDEF) || (code & 0xFFFE) == 0xFFFE;
        char utf8[7] = { 0 };
        if (!g_unichar_validate(code) || is_nonchar)
            continue;
        g_unichar_to_utf8(code, utf8);
        qapi_writer_string(writer, utf8);
        g_autofree char *text = text_of(writer);
        g_autoptr(QapiValue) value = qapi_parse(text, strlen(text), NULL);
        ck_assert_ptr_nonnull(value);
        ck_assert_str_eq(qapi_node_text(value, qapi_value_root(value)), utf8);
    }
}
END_TEST

START_TEST(numbers_are_written_as_c_prints_them)
{
    static const struct {
        gdouble number;
        const char *written;
    } cases[] = {
        { 0, "0" },
        { -0.0, "-0" },
        { 1, "1" },
        { 0.1, "0.10000000000000001" },
        { 1e16, "10000000000000000" },
        { 1e17, "1e+17" },
        { 1.5e-7, "1.4999999999999999e-07" },
        { HUGE_VAL, "inf" },
        { -HUGE_VAL, "-inf" },
    };
    static const gint64 integers[] = { 0, 1, -1, 10, 99, -100, G_MAXINT64, G_MININT64 };
    g_autoptr(QapiWriter) writer = qapi_writer_new();

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        qapi_writer_double(writer, cases[i].number);
        g_autofree char *text = text_of(writer);
        ck_assert_str_eq(text, cases[i].written);
    }
    for (guint i = 0; i < G_N_ELEMENTS(integers); i++) {
        qapi_writer_int64(writer, integers[i]);
        g_autofree char *text = text_of(writer);
        g_autofree char *expected = g_strdup_printf("%" G_GINT64_FORMAT, integers[i]);
        ck_assert_str_eq(text, expected);
    }
    qapi_writer_uint64(writer, G_MAXUINT64);
    g_autofree char *most = text_of(writer);
    ck_assert_str_eq(most, "18446744073709551615");
}
END_TEST

START_TEST(members_a_handler_forgot_leave_valid_json)
{
    const QapiMember members[] = {
        { "name", 0, QAPI_MANDATORY, &qapi_type_string },
        { "point", 0, QAPI_MANDATORY, &point_type },
        { "shape", 0, QAPI_MANDATORY, &shape_type },
        { "size", 0, QAPI_MANDATORY, &size_type },
        { "data", 0, QAPI_MANDATORY, &qapi_type_base64 },
        { "extra", 0, QAPI_MANDATORY, &qapi_type_any },
        { "list", 0, QAPI_MANDATORY,
          &(const QapiType){ .kind = QAPI_KIND_LIST, .element = &point_type } },
    };
    const guint8 order[] = { 0, 1, 2, 3, 4, 5, 6 };
    const QapiType type = {
        .kind = QAPI_KIND_STRUCT,
        .size = sizeof(gpointer),
        .n_members = G_N_ELEMENTS(members),
        .members = members,
        .wire_order = order,
    };
    const gpointer nothing = NULL;
    g_autoptr(QapiWriter) writer = qapi_writer_new();

    qapi_write_struct(writer, &type, &nothing);
    g_autofree char *text = text_of(writer);
    ck_assert_str_eq(text, "{\"name\": \"\", \"point\": {}, \"shape\": {}, \"size\": null, "
                           "\"data\": \"\", \"extra\": null, \"list\": []}");
}
END_TEST

/* A reply with text and payloads of all remainders modulo 3, one of them empty. */
static void
write_mixed_reply(QapiWriter *writer, const char *data)
{
    static const gsize sizes[] = { 0, 1, 2, 3, 100, 301 };

    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autoptr(GBytes) bytes = g_bytes_new(data, sizes[i]);
        qapi_writer_raw(writer, "text ");
        qapi_writer_base64(writer, bytes);
        qapi_writer_base64(writer, bytes);
    }
    qapi_writer_raw(writer, "\n");
}

static char *
mixed_reply_by_glib(const char *data)
{
    static const gsize sizes[] = { 0, 1, 2, 3, 100, 301 };
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autofree char *encoded = g_base64_encode((const guchar *)data, sizes[i]);
        g_string_append_printf(text, "text \"%s\"\"%s\"", encoded, encoded);
    }
    g_string_append(text, "\n");
    return g_string_free(text, FALSE);
}

START_TEST(a_reply_is_the_same_in_pieces_of_any_size)
{
    g_autoptr(QapiWriter) writer = qapi_writer_new();
    g_autoptr(GRand) random = g_rand_new_with_seed(7);
    char data[301];

    for (guint i = 0; i < sizeof(data); i++)
        data[i] = (char)g_rand_int(random);
    g_autofree char *expected = mixed_reply_by_glib(data);

    for (gsize piece = 4; piece < 300; piece++) {
        g_autoptr(GString) seen = g_string_new(NULL);
        g_autofree char *buffer = g_malloc(piece);
        write_mixed_reply(writer, data);
        while (!qapi_writer_is_empty(writer)) {
            gsize taken = qapi_writer_take(writer, buffer, piece);
            g_string_append_len(seen, buffer, (gssize)taken);
            ck_assert_uint_le(taken, piece);
            if (!qapi_writer_is_empty(writer))
                ck_assert_uint_gt(taken + 4, piece);
        }
        ck_assert_str_eq(seen->str, expected);
        ck_assert_uint_eq(qapi_writer_take(writer, buffer, piece), 0);
        qapi_writer_reset(writer);
    }
}
END_TEST

START_TEST(a_reply_half_taken_can_be_given_up)
{
    g_autoptr(QapiWriter) writer = qapi_writer_new();
    char data[301] = { 0 };
    char buffer[64];

    write_mixed_reply(writer, data);
    ck_assert_uint_gt(qapi_writer_take(writer, buffer, sizeof(buffer)), 0);
    qapi_writer_reset(writer);
    ck_assert(qapi_writer_is_empty(writer));
    qapi_writer_raw(writer, "next");
    g_autofree char *text = text_of(writer);
    ck_assert_str_eq(text, "next");
}
END_TEST

START_TEST(the_rest_of_a_reply_is_one_text)
{
    g_autoptr(QapiWriter) writer = qapi_writer_new();
    char data[301] = { 0 };
    g_autofree char *expected = mixed_reply_by_glib(data);
    char buffer[200];
    gsize size;

    write_mixed_reply(writer, data);
    gsize taken = qapi_writer_take(writer, buffer, sizeof(buffer));
    g_autofree char *rest = qapi_writer_to_text(writer, &size);
    ck_assert_mem_eq(buffer, expected, taken);
    ck_assert_str_eq(rest, expected + taken);
    ck_assert_uint_eq(size, strlen(rest));
}
END_TEST

static void
note_release(gpointer data)
{
    gboolean *is_released = data;

    *is_released = TRUE;
}

START_TEST(payload_is_released_when_it_is_taken)
{
    g_autoptr(QapiWriter) writer = qapi_writer_new();
    char byte = 'x', buffer[16];
    gboolean is_released = FALSE;
    GBytes *bytes = g_bytes_new_with_free_func(&byte, 1, note_release, &is_released);

    qapi_writer_base64(writer, bytes);
    g_bytes_unref(bytes);
    ck_assert(!is_released);
    ck_assert_uint_eq(qapi_writer_take(writer, buffer, 5), 5);
    ck_assert(is_released);
    ck_assert(!qapi_writer_is_empty(writer));
}
END_TEST

static char *
echo_of(const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(QapiValue) value = qapi_parse(text, strlen(text), &error);
    g_autoptr(QapiWriter) writer = qapi_writer_new();

    ck_assert_msg(value != NULL, "%s", error ? error->message : "");
    qapi_write_echo(writer, value, qapi_value_root(value));
    return text_of(writer);
}

START_TEST(echoed_members_come_in_upstreams_order)
{
    static const struct {
        const char *text;
        const char *echo;
    } cases[] = {
        { "{\"bhwt\":0,\"mrpbmo\":1,\"xkl\":2}", "{\"mrpbmo\": 1, \"bhwt\": 0, \"xkl\": 2}" },
        { "{\"ypzrzqne\":0,\"f\":1,\"y\":2,\"dbfuocpx\":3,\"ycpgm\":4,\"-recameccn\":5}",
          "{\"-recameccn\": 5, \"dbfuocpx\": 3, \"ypzrzqne\": 0, \"y\": 2, \"f\": 1, "
          "\"ycpgm\": 4}" },
        /* one bucket: the newest first */
        { "{\"pid\":1,\"success-response\":2}", "{\"success-response\": 2, \"pid\": 1}" },
        { "{\"success-response\":1,\"pid\":2}", "{\"pid\": 2, \"success-response\": 1}" },
        { "{\"id\":{\"pid\":[{\"error\":1,\"return\":2}]},\"return\":{}}",
          "{\"return\": {}, \"id\": {\"pid\": [{\"return\": 2, \"error\": 1}]}}" },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *echo = echo_of(cases[i].text);
        ck_assert_str_eq(echo, cases[i].echo);
    }
}
END_TEST

START_TEST(buckets_are_those_of_upstream)
{
    static const struct {
        const char *key;
        guint bucket;
    } cases[] = {
        { "enabled", 33 },
        { "name", 39 },
        { "exitcode", 98 },
        { "class", 211 },
        { "execute", 299 },
        { "desc", 377 },
        { "return", 401 },
        { "arguments", 447 },
        { "pid", 472 },
        { "id", 486 },
        { "success-response", 472 },
        { "supported_commands", 484 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        ck_assert_uint_eq(qapi_key_bucket(cases[i].key), cases[i].bucket);
}
END_TEST

START_TEST(deep_nesting_is_echoed)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < 1023; i++)
        g_string_append(text, i % 2 ? "{\"a\": " : "[");
    g_string_append(text, "1");
    for (guint i = 1023; i > 0; i--)
        g_string_append(text, i % 2 ? "]" : "}");
    g_autofree char *expected = g_string_free(text, FALSE);
    g_autofree char *echo = echo_of(expected);
    ck_assert_str_eq(echo, expected);
}
END_TEST

START_TEST(members_of_any_type_are_json_text_or_what_was_sent)
{
    g_autoptr(QapiWriter) writer = qapi_writer_new();
    g_autoptr(QapiAny) any = qapi_any_new_text(g_strdup("{\"raw\":1}"));

    qapi_write(writer, &qapi_type_any, &any);
    g_autofree char *text = text_of(writer);
    ck_assert_str_eq(text, "{\"raw\":1}");
}
END_TEST

START_TEST(a_member_alone_is_its_value_or_null)
{
    static const char *const expected[] = { "5", "-6", "null" };
    g_autoptr(QapiWriter) writer = qapi_writer_new();
    const Point point = { .x = 5, .y = -6 };

    for (guint i = 0; i < G_N_ELEMENTS(expected); i++) {
        qapi_write_member(writer, &point_type.members[i], &point);
        ck_assert_uint_eq(qapi_writer_size(writer), strlen(expected[i]));
        g_autofree char *text = text_of(writer);
        ck_assert_str_eq(text, expected[i]);
    }
}
END_TEST

static Suite *
qapi_write_suite(void)
{
    Suite *suite = suite_create("qapi-write");
    TCase *tcase = tcase_create("all");

    tcase_add_test(tcase, strings_are_escaped);
    tcase_add_test(tcase, each_invalid_sequence_is_replaced_once);
    tcase_add_test(tcase, every_character_survives_escaping_and_parsing);
    tcase_add_test(tcase, numbers_are_written_as_c_prints_them);
    tcase_add_test(tcase, members_a_handler_forgot_leave_valid_json);
    tcase_add_test(tcase, a_reply_is_the_same_in_pieces_of_any_size);
    tcase_add_test(tcase, a_reply_half_taken_can_be_given_up);
    tcase_add_test(tcase, the_rest_of_a_reply_is_one_text);
    tcase_add_test(tcase, payload_is_released_when_it_is_taken);
    tcase_add_test(tcase, echoed_members_come_in_upstreams_order);
    tcase_add_test(tcase, buckets_are_those_of_upstream);
    tcase_add_test(tcase, deep_nesting_is_echoed);
    tcase_add_test(tcase, members_of_any_type_are_json_text_or_what_was_sent);
    tcase_add_test(tcase, a_member_alone_is_its_value_or_null);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void)
{
    return run_suite(qapi_write_suite());
}
