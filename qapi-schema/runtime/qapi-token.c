/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Strings, numbers and keywords as single tokens. Unescaping never makes a
 * string longer, so it is done where the string lies.
 */
#include "runtime/qapi-token.h"

#include <string.h>

#include "runtime/qapi-utf8.h"

#define UNIT_ESCAPE 6 /* bytes of \uXXXX */

gboolean
qapi_problem(QapiProblem *ret_problem, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_vsnprintf(ret_problem->text, sizeof(ret_problem->text), format, arguments);
    va_end(arguments);
    return FALSE;
}

/* The UTF-16 unit of a \uXXXX escape at `text`, or -1 if there is none. */
static gint32
escaped_unit(const char *text, gsize size)
{
    gint32 unit = 0;

    if (size < UNIT_ESCAPE || text[0] != '\\' || text[1] != 'u')
        return -1;
    for (guint i = 2; i < UNIT_ESCAPE; i++) {
        gint digit = g_ascii_xdigit_value(text[i]);
        if (digit < 0)
            return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

/* The character of the escape at `text`. `size` reaches to the end of the string and *ret_size
 * says how much is the escape, or what of it is to be shown in a complaint (-1). */
static gint32
escaped_character(const char *text, gsize size, gsize *ret_size)
{
    gint32 code = escaped_unit(text, size);

    *ret_size = UNIT_ESCAPE;
    if (code >= 0xD800 && code <= 0xDBFF) {
        gint32 low = escaped_unit(text + UNIT_ESCAPE, size - UNIT_ESCAPE);
        if (low < 0xDC00 || low > 0xDFFF)
            return -1;
        code = 0x10000 + ((code & 0x3FF) << 10 | (low & 0x3FF));
        *ret_size = 2 * UNIT_ESCAPE;
    }
    return code >= 0 && qapi_is_character((guint32)code) ? code : -1;
}

/* What a one-letter escape stands for, NUL if it is none. */
static char
escaped_letter(char letter)
{
    switch (letter) {
    case '"':
    case '\'':
    case '\\':
    case '/':
        return letter;
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return 0;
    }
}

gboolean
qapi_token_unquote(char *token, gsize length, gsize *ret_length, QapiProblem *ret_problem)
{
    const char *in = token + 1, *end = token + length - 1;
    char *out = token + 1;

    while (in < end) {
        gsize size = qapi_plain_length(in, (gsize)(end - in), '\\');
        memmove(out, in, size);
        out += size;
        in += size;
        if (in == end)
            break;

        if (*in != '\\') {
            if (qapi_utf8_decode(in, (gsize)(end - in), &size) < 0)
                return qapi_problem(ret_problem, "invalid UTF-8 sequence in string");
            memmove(out, in, size);
            out += size;
            in += size;
        } else if (in[1] == 'u') {
            gint32 code = escaped_character(in, (gsize)(end - in), &size);
            /* The closing quote is shown where an escape runs into it. */
            if (code < 0)
                return qapi_problem(ret_problem, "%.*s is not a valid Unicode character",
                                    (gint)MIN(size, (gsize)(end + 1 - in)), in);
            out += qapi_utf8_encode((guint32)code, out);
            in += size;
        } else {
            char letter = escaped_letter(in[1]);
            if (!letter)
                return qapi_problem(ret_problem, "invalid escape sequence in string");
            *out++ = letter;
            in += 2;
        }
    }

    *out = '\0';
    *ret_length = (gsize)(out - (token + 1));
    return TRUE;
}

void
qapi_token_float(const char *token, QapiNode *ret_node)
{
    ret_node->kind = QAPI_NODE_DOUBLE;
    ret_node->number = g_ascii_strtod(token, NULL);
}

void
qapi_token_integer(const char *token, QapiNode *ret_node)
{
    gboolean is_negative = *token == '-';
    guint64 limit = is_negative ? (guint64)G_MAXINT64 + 1 : G_MAXUINT64;
    guint64 magnitude = 0;

    for (const char *p = token + is_negative; *p; p++) {
        guint64 digit = (guint64)(*p - '0');
        if (magnitude > (limit - digit) / 10) {
            qapi_token_float(token, ret_node);
            return;
        }
        magnitude = magnitude * 10 + digit;
    }

    if (!is_negative && magnitude > G_MAXINT64) {
        ret_node->kind = QAPI_NODE_UINT64;
        ret_node->uint64 = magnitude;
    } else {
        ret_node->kind = QAPI_NODE_INT64;
        ret_node->int64 = (gint64)(is_negative ? -magnitude : magnitude);
    }
}

gboolean
qapi_token_keyword(const char *token, gsize length, QapiNode *ret_node, QapiProblem *ret_problem)
{
    static const struct {
        const char *name;
        QapiNodeKind kind;
    } keywords[] = {
        { "null", QAPI_NODE_NULL },
        { "false", QAPI_NODE_FALSE },
        { "true", QAPI_NODE_TRUE },
    };

    for (guint i = 0; i < G_N_ELEMENTS(keywords); i++)
        if (strlen(keywords[i].name) == length && !memcmp(keywords[i].name, token, length)) {
            ret_node->kind = keywords[i].kind;
            return TRUE;
        }
    return qapi_problem(ret_problem, "invalid keyword '%.*s'", (gint)length, token);
}
