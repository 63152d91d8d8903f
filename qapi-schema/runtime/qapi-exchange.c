/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "runtime/qapi-exchange.h"

#include "runtime/qapi-error.h"
#include "runtime/qapi-parse.h"
#include "runtime/qapi-read.h"
#include "runtime/qapi-write.h"

char *
qapi_request_text(const char *command, const QapiType *args_type, gconstpointer args,
                  gsize *ret_size)
{
    g_autoptr(QapiWriter) writer = qapi_writer_new();

    qapi_writer_raw(writer, "{\"execute\": ");
    qapi_writer_string(writer, command);
    if (args) {
        qapi_writer_raw(writer, ", \"arguments\": ");
        qapi_write_struct(writer, args_type, args);
    }
    qapi_writer_raw(writer, "}");
    return qapi_writer_to_text(writer, ret_size);
}

static QapiErrorClass
error_class_of(const char *name)
{
    for (gint code = QAPI_ERROR_GENERIC; code <= QAPI_ERROR_KVM_MISSING_CAP; code++) {
        const GError error = { .domain = QAPI_ERROR, .code = code };
        if (g_str_equal(qapi_error_class_name(&error), name))
            return (QapiErrorClass)code;
    }
    return QAPI_ERROR_GENERIC;
}

static void
tell_error(const QapiValue *value, const QapiNode *told, GError **error)
{
    const QapiNode *name = qapi_node_member(value, told, "class");
    const QapiNode *text = qapi_node_member(value, told, "desc");
    gboolean has_name = name && name->kind == QAPI_NODE_STRING;
    gboolean has_text = text && text->kind == QAPI_NODE_STRING;

    g_set_error_literal(error, QAPI_ERROR,
                        has_name ? (gint)error_class_of(qapi_node_text(value, name))
                                 : (gint)QAPI_ERROR_GENERIC,
                        has_text ? qapi_node_text(value, text) : "failed without giving a reason");
}

/* The object's member `name` if `value` is an object at all. */
static const QapiNode *
envelope_member(const QapiValue *value, const char *name)
{
    const QapiNode *root = qapi_value_root(value);

    return root->kind == QAPI_NODE_OBJECT ? qapi_node_member(value, root, name) : NULL;
}

QapiReply
qapi_reply_read(const char *line, gsize size, const QapiType *type, gpointer ret_place,
                GError **error)
{
    g_autoptr(QapiValue) value = qapi_parse(line, size, error);

    if (!value)
        return QAPI_REPLY_BROKEN;

    const QapiNode *told = envelope_member(value, "error");
    if (told && told->kind == QAPI_NODE_OBJECT) {
        tell_error(value, told, error);
        return QAPI_REPLY_ERROR;
    }

    const QapiNode *result = envelope_member(value, "return");
    if (!result) {
        qapi_set_error(error, "it is neither a result nor an error");
        return QAPI_REPLY_BROKEN;
    }
    if (type && !qapi_read(type, value, result, QAPI_READ_COPY, "return", ret_place, error))
        return QAPI_REPLY_BROKEN;
    return QAPI_REPLY_RETURN;
}
