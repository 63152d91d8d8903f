/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any JSON as the arguments of a toy command: borrowed and copied strings
 * give the same struct or the same error, and what was written is accepted.
 */
#include <string.h>

#include "../unit/toy-schema.h"
#include "fuzz.h"
#include "runtime/qapi-parse.h"
#include "runtime/qapi-read.h"
#include "runtime/qapi-write.h"

/* The drawing written again, or the error. */
static char *
outcome(QapiValue *value, QapiReadMode mode, gboolean *ret_is_good)
{
    g_autoptr(QapiWriter) writer = qapi_writer_new();
    g_autoptr(GError) error = NULL;
    const QapiNode *root = qapi_value_root(value);
    Drawing drawing = { 0 };

    *ret_is_good = qapi_read_struct(&drawing_type, value, root, mode, &drawing, &error);
    if (!*ret_is_good)
        return g_strdup(error->message);
    qapi_write_struct(writer, &drawing_type, &drawing);
    qapi_clear(&drawing_type, &drawing, mode == QAPI_READ_BORROW);
    return qapi_writer_to_text(writer, NULL);
}

static void
check_accepted(const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(QapiValue) value = qapi_parse(text, strlen(text), &error);
    gboolean is_good;

    /* Infinity is written, but cannot be read. */
    if (!value) {
        g_assert_true(strstr(error->message, "'inf'") || strstr(error->message, "'-i'"));
        return;
    }
    g_autofree char *again = outcome(value, QAPI_READ_BORROW, &is_good);
    g_assert_true(is_good && again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(QapiValue) value = qapi_parse(data, size, NULL);
    gboolean is_good, is_good_copied;

    if (!value || qapi_value_root(value)->kind != QAPI_NODE_OBJECT)
        return 0;
    g_autofree char *borrowed = outcome(value, QAPI_READ_BORROW, &is_good);
    g_autofree char *copied = outcome(value, QAPI_READ_COPY, &is_good_copied);
    if (!is_good)
        return 0;
    g_assert_true(is_good_copied);
    g_assert_cmpstr(borrowed, ==, copied);
    check_accepted(borrowed);
    return 0;
}
