/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes: no split changes an answer, and what is echoed parses again. Two
 * echoes and not one are the same text, for keys that share a bucket swap
 * places each time.
 */
#include <string.h>

#include "fuzz.h"
#include "runtime/qapi-parse.h"
#include "runtime/qapi-write.h"

static char *
echo(const QapiValue *value)
{
    g_autoptr(QapiWriter) writer = qapi_writer_new();

    qapi_write_echo(writer, value, qapi_value_root(value));
    return qapi_writer_to_text(writer, NULL);
}

/* NULL if there is a number in it that cannot be written: infinity. */
static char *
echo_again(const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(QapiValue) value = qapi_parse(text, strlen(text), &error);

    if (value)
        return echo(value);
    g_assert_true(strstr(error->message, "'inf'") || strstr(error->message, "'-i'"));
    return NULL;
}

static void
check_value(const QapiValue *value)
{
    g_autofree char *first = echo(value);
    g_autofree char *second = echo_again(first);
    if (!second)
        return;
    g_autofree char *third = echo_again(second);
    g_autofree char *fourth = echo_again(third);
    g_assert_cmpstr(second, ==, fourth);
}

/* Every event in a line. */
static char *
events(const uint8_t *data, size_t size, size_t piece)
{
    g_autoptr(QapiParser) parser = qapi_parser_new();
    GString *seen = g_string_new(NULL);
    gsize consumed = 0;

    for (gsize at = 0; at < size; at += consumed) {
        g_autoptr(QapiValue) value = NULL;
        g_autoptr(GError) error = NULL;
        QapiParseResult result = qapi_parser_push(parser, data + at, MIN(piece, size - at),
                                                  &consumed, &value, &error);
        g_assert_true(consumed <= MIN(piece, size - at));
        g_autofree char *text = value ? echo(value) : NULL;
        if (value)
            check_value(value);
        g_string_append_printf(seen, "%d %s %s\n", result, text ? text : "",
                               error ? error->message : "");
        if (result == QAPI_PARSE_MORE)
            g_string_truncate(seen, seen->len - strlen("0  \n"));
    }
    return g_string_free(seen, FALSE);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *whole = events(data, size, size);
    g_autofree char *in_pieces = events(data, size, size ? data[0] % 16 + 1u : 1);

    g_assert_cmpstr(whole, ==, in_pieces);
    return 0;
}
