/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "json.h"

#include <check.h>
#include <string.h>

#include "runtime/qapi-write.h"

char *
json_take(const QapiType *type, gpointer object)
{
    g_autoptr(QapiWriter) writer = qapi_writer_new();

    qapi_write(writer, type, &object);
    qapi_free(type, object);
    return qapi_writer_to_text(writer, NULL);
}

void
assert_json(const char *input, const QapiType *type, gpointer object, const char *expected)
{
    g_autofree char *text = json_take(type, object);

    ck_assert_msg(strcmp(text, expected) == 0, "%s\nfound:    %s\nexpected: %s", input, text,
                  expected);
}
