/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing replies. The members of the two envelopes are in the order that the
 * rule for all objects gives them: `return` before `id`, but `id` before `error`.
 */
#include "core/reply.h"

#include "runtime/qapi-error.h"

void
ga_reply_return(QapiWriter *writer, const QapiType *result, gconstpointer place,
                const QapiValue *value, const QapiNode *id)
{
    qapi_writer_raw(writer, "{\"return\": ");
    if (result)
        qapi_write(writer, result, place);
    else
        qapi_writer_raw(writer, "{}");
    if (id) {
        qapi_writer_raw(writer, ", \"id\": ");
        qapi_write_echo(writer, value, id);
    }
    qapi_writer_raw(writer, "}\n");
}

void
ga_reply_error(QapiWriter *writer, const GError *error, const QapiValue *value, const QapiNode *id)
{
    qapi_writer_raw(writer, "{");
    if (id) {
        qapi_writer_raw(writer, "\"id\": ");
        qapi_write_echo(writer, value, id);
        qapi_writer_raw(writer, ", ");
    }
    qapi_writer_raw(writer, "\"error\": {\"class\": ");
    qapi_writer_string(writer, qapi_error_class_name(error));
    qapi_writer_raw(writer, ", \"desc\": ");
    qapi_writer_string(writer, error->message);
    qapi_writer_raw(writer, "}}\n");
}
