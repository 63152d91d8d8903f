/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes to values and errors. Expected texts were seen on qemu-ga 11.1.3. */
#include "runtime/qapi-parse.h"

#include <string.h>

#include "runner.h"
#include "runtime/qapi-write.h"

/* What the parser says to `size` bytes that come in pieces of `piece`: a line per value (as it
 * is echoed) or error. */
static char *
events(QapiParser *parser, const char *text, gsize size, gsize piece)
{
    g_autoptr(QapiWriter) writer = qapi_writer_new();
    gsize at = 0;

    while (at < size) {
        g_autoptr(QapiValue) value = NULL;
        g_autoptr(GError) error = NULL;
        gsize given = MIN(piece, size - at), consumed = 0;
        QapiParseResult result = qapi_parser_push(parser, text + at, given, &consumed, &value,
                                                  &error);

        at += consumed;
        ck_assert_uint_le(consumed, given);
        ck_assert_int_eq(result == QAPI_PARSE_VALUE, value != NULL);
        ck_assert_int_eq(result == QAPI_PARSE_ERROR, error != NULL);
        if (result == QAPI_PARSE_MORE) {
            ck_assert_uint_eq(consumed, given);
            continue;
        }
        if (value)
            qapi_write_echo(writer, value, qapi_value_root(value));
        else
            qapi_writer_raw(writer, error->message);
        qapi_writer_raw(writer, "\n");
    }
    return qapi_writer_to_text(writer, NULL);
}

static char *
events_at_once(const char *text, gsize size)
{
    g_autoptr(QapiParser) parser = qapi_parser_new();

    return events(parser, text, size, size);
}

#define ERROR(position, message) position ": JSON parse error, " message "\n"
#define CASE(input, events)              \
    {                                    \
        input, sizeof(input) - 1, events \
    }

typedef struct {
    const char *input;
    gsize size;
    const char *events;
} Case;

static const Case values[] = {
    CASE("", ""),
    CASE(" \t\r\n", ""),
    CASE("{\"execute\": \"guest-ping\"}", "{\"execute\": \"guest-ping\"}\n"),
    CASE("{'execute':'guest-ping'}", "{\"execute\": \"guest-ping\"}\n"),
    CASE("{}{}[]", "{}\n{}\n[]\n"),
    CASE("[[],{},[[]]]", "[[], {}, [[]]]\n"),
    CASE("12", ""),
    CASE("12 ", "12\n"),
    CASE("12{}", "12\n{}\n"),
    CASE("true false\nnull,", "true\nfalse\nnull\n" ERROR("2:6", "expecting value")),
    CASE("\"a\"'b'", "\"a\"\n\"b\"\n"),
    CASE("{\"a\": {\"b\": [1, 2, {\"c\": null}]}}", "{\"a\": {\"b\": [1, 2, {\"c\": null}]}}\n"),
    CASE("{\"\": 1}", "{\"\": 1}\n"),
};

static const Case numbers[] = {
    CASE("[0, -0, 1, -1]", "[0, 0, 1, -1]\n"),
    CASE("[9223372036854775807, -9223372036854775808]",
         "[9223372036854775807, -9223372036854775808]\n"),
    CASE("[9223372036854775808, 18446744073709551615]",
         "[9223372036854775808, 18446744073709551615]\n"),
    CASE("[18446744073709551616, -9223372036854775809]",
         "[1.8446744073709552e+19, -9.2233720368547758e+18]\n"),
    CASE("[0.1, 1.0, 1e16, 1E+17, -0.0, 25e-1]",
         "[0.10000000000000001, 1, 10000000000000000, 1e+17, -0, 2.5]\n"),
    CASE("[1e999, -1e999, 1e-999]", "[inf, -inf, 0]\n"),
    CASE("01 ", ERROR("1:1", "stray '01'")),
    CASE("-a ", ERROR("1:1", "stray '-a'")),
    CASE("1.a ", ERROR("1:1", "stray '1.a'")),
    CASE("1e+a ", ERROR("1:1", "stray '1e+a'")),
    CASE("0e5 ", "0\n" ERROR("1:3", "invalid keyword 'e'") "5\n"),
    CASE("NaN ", ERROR("1:1", "stray 'N'")),
};

static const Case strings[] = {
    CASE("\"\\\"\\'\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"'\\\\/\\b\\f\\n\\r\\t\"\n"),
    CASE("'\"'", "\"\\\"\"\n"),
    CASE("\"'\"", "\"'\"\n"),
    CASE("\"\\u00e9\\u20AC\\ud83d\\uDE00\"", "\"\\u00E9\\u20AC\\uD83D\\uDE00\"\n"),
    CASE("\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\x7F\"",
         "\"\\u00E9\\u20AC\\uD83D\\uDE00\\u007F\"\n"),
    CASE("\"\\u0000\"", "\"\\u0000\"\n"),
    CASE("\"\xC0\x80\"", "\"\\u0000\"\n"),
    CASE("\"a plain text that is longer than any block of a vector unit, \\n then more of it\"",
         "\"a plain text that is longer than any block of a vector unit, \\n then more of it\"\n"),
    CASE("\"\\x\"", ERROR("1:1", "invalid escape sequence in string")),
    CASE("\"\\ud800\"", ERROR("1:1", "\\ud800 is not a valid Unicode character")),
    CASE("\"\\udc00\\ud800\"", ERROR("1:1", "\\udc00 is not a valid Unicode character")),
    CASE("\"\\ud800\\u0041\"", ERROR("1:1", "\\ud800 is not a valid Unicode character")),
    CASE("\"\\udbff\\udffe\"", ERROR("1:1", "\\udbff\\udffe is not a valid Unicode character")),
    CASE("\"\\uFFFE\"", ERROR("1:1", "\\uFFFE is not a valid Unicode character")),
    CASE("\"\\u12\"", ERROR("1:1", "\\u12\" is not a valid Unicode character")),
    CASE("\"\\u{41}\"", ERROR("1:1", "\\u{41} is not a valid Unicode character")),
    CASE("\"\xED\xA0\x80\"", ERROR("1:1", "invalid UTF-8 sequence in string")),
    CASE("\"\xC1\xBF\"", ERROR("1:1", "invalid UTF-8 sequence in string")),
    CASE("\"\xE2\x82\"", ERROR("1:1", "invalid UTF-8 sequence in string")),
    CASE("\"\x80\"", ERROR("1:1", "invalid UTF-8 sequence in string")),
    CASE("\"\xF4\x90\x80\x80\"", ERROR("1:1", "invalid UTF-8 sequence in string")),
    CASE("\"\xEF\xBF\xBF\"", ERROR("1:1", "invalid UTF-8 sequence in string")),
    CASE("{\"a\" \"\\x\"}", ERROR("1:6", "expecting ':'")),
};

static const Case mistakes[] = {
    CASE("]", ERROR("1:1", "expecting value")),
    CASE("[,]", ERROR("1:2", "expecting value")),
    CASE("[1,]", ERROR("1:4", "expecting value")),
    CASE("{,}", ERROR("1:2", "expecting key")),
    CASE("{\"a\":1,}", ERROR("1:8", "expecting key")),
    CASE("{\"a\",1}", ERROR("1:5", "expecting ':'")),
    CASE("{\"a\":}", ERROR("1:6", "expecting value")),
    CASE("[1 2]", ERROR("1:4", "expected ',' or ']'")),
    CASE("{\"a\":1 2}", ERROR("1:8", "expected ',' or '}'")),
    CASE("[foo]", ERROR("1:2", "invalid keyword 'foo'")),
    CASE("{\"a\":1,\"\\u0061\":2}", ERROR("1:17", "duplicate key")),
    CASE("{\"a\":1,\"a\":[1,2]}", ERROR("1:17", "duplicate key")),
    CASE("@", ERROR("1:1", "stray '@'")),
    CASE("\"a\nb", ERROR("1:1", "stray '\"a\n'")),
    CASE("{%}", ERROR("1:2", "stray '%'") ERROR("1:4", "expecting value")),
    CASE("\xFF", ERROR("1:1", "stray '\xFF'")),
    CASE("\0", ERROR("1:1", "stray ''")),
};

/* The columns after a number, a keyword and recovery are one too high: so they are upstream. */
static const Case positions[] = {
    CASE("[1}", ERROR("1:4", "expected ',' or ']'")),
    CASE("[true}", ERROR("1:7", "expected ',' or ']'")),
    CASE("[1 }", ERROR("1:4", "expected ',' or ']'")),
    CASE("[1\n}", ERROR("2:1", "expected ',' or ']'")),
    CASE("[1,2}", ERROR("1:6", "expected ',' or ']'")),
    CASE("@}", ERROR("1:1", "stray '@'") ERROR("1:3", "expecting value")),
    CASE("\n\n  @\n @", ERROR("3:3", "stray '@'") ERROR("4:2", "stray '@'")),
    CASE("{\"\xC3\xA9\"\t,", ERROR("1:7", "expecting ':'")),
};

static const Case recoveries[] = {
    CASE("{\"a\":foo,\"b\":[{]}} {}", ERROR("1:6", "invalid keyword 'foo'") "{}\n"),
    CASE("[[}]]", ERROR("1:3", "expecting value") ERROR("1:4", "expecting value")
                      ERROR("1:5", "expecting value")),
    CASE("[foo} 1 ", ERROR("1:2", "invalid keyword 'foo'") "1\n"),
    CASE("{\"a\":@}", ERROR("1:6", "stray '@'") ERROR("1:8", "expecting value")),
    CASE("[1}[2]", ERROR("1:4", "expected ',' or ']'") "[2]\n"),
    CASE("[foo\xFF{}", ERROR("1:2", "invalid keyword 'foo'") "{}\n"),
    CASE("[foo,{\"x\":\"y\n{}", ERROR("1:2", "invalid keyword 'foo'") "{}\n"),
    CASE("@\"'foo 12 \t{}", ERROR("1:1", "stray '@'") "{}\n"),
    CASE("@\xFF{}", ERROR("1:1", "stray '@'") ERROR("1:3", "stray '\xFF'") "{}\n"),
};

static const struct {
    const Case *cases;
    guint n_cases;
} tables[] = {
    { values, G_N_ELEMENTS(values) },       { numbers, G_N_ELEMENTS(numbers) },
    { strings, G_N_ELEMENTS(strings) },     { mistakes, G_N_ELEMENTS(mistakes) },
    { positions, G_N_ELEMENTS(positions) }, { recoveries, G_N_ELEMENTS(recoveries) },
};

START_TEST(inputs_give_upstreams_answers)
{
    for (guint i = 0; i < tables[_i].n_cases; i++) {
        const Case *expected = &tables[_i].cases[i];
        g_autofree char *seen = events_at_once(expected->input, expected->size);
        ck_assert_str_eq(seen, expected->events);
    }
}
END_TEST

START_TEST(no_split_changes_an_answer)
{
    for (guint i = 0; i < tables[_i].n_cases; i++) {
        const Case *expected = &tables[_i].cases[i];
        for (gsize cut = 1; cut < expected->size; cut++) {
            g_autoptr(QapiParser) parser = qapi_parser_new();
            g_autofree char *first = events(parser, expected->input, cut, cut);
            g_autofree char *second = events(parser, expected->input + cut, expected->size - cut,
                                             expected->size);
            g_autofree char *seen = g_strconcat(first, second, NULL);
            ck_assert_str_eq(seen, expected->events);
        }

        g_autoptr(QapiParser) parser = qapi_parser_new();
        g_autofree char *seen = events(parser, expected->input, expected->size, 1);
        ck_assert_str_eq(seen, expected->events);
    }
}
END_TEST

START_TEST(messages_are_cut_to_1023_bytes)
{
    g_autofree char *word = g_strnfill(5000, 'x');
    g_autofree char *input = g_strconcat(word, " ", NULL);
    g_autofree char *seen = events_at_once(input, strlen(input));
    g_autofree char *expected = g_strdup_printf("1:1: JSON parse error, invalid keyword '%.*s\n",
                                                1023 - 17, word);

    ck_assert_str_eq(seen, expected);
}
END_TEST

START_TEST(nesting_is_limited_to_1024)
{
    for (guint depth = 1023; depth <= 1025; depth++) {
        g_autofree char *open = g_strnfill(depth, '[');
        g_autofree char *shut = g_strnfill(depth, ']');
        g_autofree char *input = g_strconcat(open, shut, "0 ", NULL);
        g_autofree char *echo = g_strconcat(open, shut, "\n0\n", NULL);
        g_autofree char *seen = events_at_once(input, strlen(input));
        ck_assert_str_eq(seen, depth <= 1024 ? echo : "JSON nesting depth limit exceeded\n0\n");
    }
}
END_TEST

/* [0,0,...,0] of `n_tokens` tokens, which must be odd. */
static char *
list_of_tokens(guint n_tokens)
{
    GString *text = g_string_new("[0");

    while (text->len + 1 < n_tokens)
        g_string_append(text, ",0");
    g_string_append(text, "] ");
    return g_string_free(text, FALSE);
}

START_TEST(tokens_are_limited)
{
    static const char limit[] = "JSON token count limit exceeded\n";
    g_autofree char *most = list_of_tokens(QAPI_PARSE_MAX_TOKENS - 1);
    g_autofree char *more = list_of_tokens(QAPI_PARSE_MAX_TOKENS + 1);
    g_autofree char *first = events_at_once(most, strlen(most));
    g_autofree char *second = events_at_once(more, strlen(more));

    ck_assert_uint_gt(strlen(first), QAPI_PARSE_MAX_TOKENS);
    ck_assert_str_eq(second, limit);
}
END_TEST

static char *
events_of_string(gsize token_size, const char *rest)
{
    GString *text = g_string_sized_new(token_size + strlen(rest));

    g_string_append_c(text, '"');
    g_string_set_size(text, token_size - 1);
    memset(text->str + 1, 'x', token_size - 2);
    g_string_append(text, "\"");
    g_string_append(text, rest);
    g_autofree char *input = g_string_free(text, FALSE);
    return events_at_once(input, token_size + strlen(rest));
}

START_TEST(bytes_are_limited)
{
    g_autofree char *most = events_of_string(QAPI_PARSE_MAX_BYTES - 1, " 0 ");
    g_autofree char *more = events_of_string(QAPI_PARSE_MAX_BYTES, " 0 ");

    ck_assert_uint_eq(strlen(most), QAPI_PARSE_MAX_BYTES - 1 + strlen("\n0\n"));
    ck_assert_str_eq(more, "JSON token size limit exceeded\n0\n");
}
END_TEST

START_TEST(the_rest_of_an_overlong_string_is_lexed_as_if_it_were_none)
{
    g_autofree char *seen = events_of_string(QAPI_PARSE_MAX_BYTES + 5, "\n{}");

    ck_assert_str_eq(seen, "JSON token size limit exceeded\n"
                           "1:1: JSON parse error, invalid keyword 'xxx'\n"
                           "1:67108870: JSON parse error, stray '\"\n'\n{}\n");
}
END_TEST

/* {"k0":0,...}, followed by "k<repeated>" once more unless that is -1. */
static char *
object_of(guint n_members, gint repeated)
{
    GString *text = g_string_new("{");

    for (guint i = 0; i < n_members; i++)
        g_string_append_printf(text, "%s\"k%u\":%u", i ? "," : "", i, i);
    if (repeated >= 0)
        g_string_append_printf(text, ",\"k%d\":0", repeated);
    g_string_append(text, "}");
    return g_string_free(text, FALSE);
}

START_TEST(keys_of_large_objects_are_not_mistaken_for_duplicates)
{
    for (guint n_members = 1; n_members < 3000; n_members += 1 + n_members / 8) {
        g_autofree char *text = object_of(n_members, -1);
        g_autoptr(QapiValue) value = qapi_parse(text, strlen(text), NULL);
        ck_assert_ptr_nonnull(value);
        ck_assert_uint_eq(qapi_value_root(value)->n_children, n_members);
    }
}
END_TEST

START_TEST(duplicate_keys_are_found_in_objects_of_any_size)
{
    for (gint n_members = 1; n_members < 3000; n_members += 1 + n_members / 8) {
        const gint repeated[] = { 0, n_members / 2, n_members - 1 };
        for (guint i = 0; i < G_N_ELEMENTS(repeated); i++) {
            g_autofree char *text = object_of((guint)n_members, repeated[i]);
            g_autoptr(GError) error = NULL;
            ck_assert_ptr_null(qapi_parse(text, strlen(text), &error));
            ck_assert(g_str_has_suffix(error->message, "duplicate key"));
        }
    }
}
END_TEST

START_TEST(equal_keys_of_different_objects_are_no_duplicates)
{
    static const char text[] = "{\"a\": {\"a\": {\"a\": 1}, \"b\": [{\"a\": 1}, {\"a\": 2}]}}";
    g_autoptr(QapiValue) value = qapi_parse(text, strlen(text), NULL);

    ck_assert_ptr_nonnull(value);
}
END_TEST

START_TEST(a_text_is_exactly_one_value)
{
    static const struct {
        const char *text;
        const char *message; /* NULL: it is fine */
    } cases[] = {
        { "1", NULL },
        { " {} \n", NULL },
        { "", "JSON text is incomplete" },
        { "[1", "JSON text is incomplete" },
        { "\"a", "1:1: JSON parse error, stray '\"a\n'" },
        { "1 2", "JSON text is followed by something else" },
        { "{}]", "JSON text is followed by something else" },
        { "{} \"", "JSON text is followed by something else" },
        { "[}", "1:2: JSON parse error, expecting value" },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(QapiValue) value = qapi_parse(cases[i].text, strlen(cases[i].text), &error);
        ck_assert_pstr_eq(error ? error->message : NULL, cases[i].message);
        ck_assert_int_eq(value != NULL, cases[i].message == NULL);
    }
}
END_TEST

START_TEST(a_parser_can_be_freed_at_any_point)
{
    g_autofree char *big = object_of(20, -1);
    gsize size = strlen(big);

    for (gsize cut = 0; cut <= size; cut++) {
        g_autoptr(QapiParser) parser = qapi_parser_new();
        g_autofree char *seen = events(parser, big, cut, cut);
        ck_assert_int_eq(*seen != '\0', cut == size);
    }
}
END_TEST

static Suite *
qapi_parse_suite(void)
{
    Suite *suite = suite_create("qapi-parse");
    TCase *tcase = tcase_create("all");

    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, inputs_give_upstreams_answers, 0, G_N_ELEMENTS(tables));
    tcase_add_loop_test(tcase, no_split_changes_an_answer, 0, G_N_ELEMENTS(tables));
    tcase_add_test(tcase, messages_are_cut_to_1023_bytes);
    tcase_add_test(tcase, nesting_is_limited_to_1024);
    tcase_add_test(tcase, tokens_are_limited);
    tcase_add_test(tcase, bytes_are_limited);
    tcase_add_test(tcase, the_rest_of_an_overlong_string_is_lexed_as_if_it_were_none);
    tcase_add_test(tcase, keys_of_large_objects_are_not_mistaken_for_duplicates);
    tcase_add_test(tcase, duplicate_keys_are_found_in_objects_of_any_size);
    tcase_add_test(tcase, equal_keys_of_different_objects_are_no_duplicates);
    tcase_add_test(tcase, a_text_is_exactly_one_value);
    tcase_add_test(tcase, a_parser_can_be_freed_at_any_point);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void)
{
    return run_suite(qapi_parse_suite());
}
