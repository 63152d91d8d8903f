/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing replies. The members of the two envelopes are in the order that the
 * rule for all objects gives them: `return` before `id`, but `id` before `error`.
 */
#include "core/reply.h"

#include "runtime/qapi-error.h"

static void
end_return(QapiWriter *writer, const QapiValue *value, const QapiNode *id)
{
    if (id) {
        qapi_writer_raw(writer, ", \"id\": ");
        qapi_write_echo(writer, value, id);
    }
    qapi_writer_raw(writer, "}\n");
}

void
ga_reply_return(QapiWriter *writer, const QapiType *result, gconstpointer place,
                const QapiValue *value, const QapiNode *id)
{
    qapi_writer_raw(writer, "{\"return\": ");
    if (result)
        qapi_write(writer, result, place);
    else
        qapi_writer_raw(writer, "{}");
    end_return(writer, value, id);
}

void
ga_reply_return_text(QapiWriter *writer, const char *text, gsize size, const QapiValue *value,
                     const QapiNode *id)
{
    qapi_writer_raw(writer, "{\"return\": ");
    qapi_writer_raw_size(writer, text, size);
    end_return(writer, value, id);
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
