/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The descriptors of the built-in types, which generated tables point to.
 */
#include "runtime/qapi-type.h"

gboolean
qapi_kind_is_pointer(QapiKind kind)
{
    switch (kind) {
    case QAPI_KIND_STRING:
    case QAPI_KIND_BASE64:
    case QAPI_KIND_STRUCT:
    case QAPI_KIND_UNION:
    case QAPI_KIND_ALTERNATE:
    case QAPI_KIND_LIST:
    case QAPI_KIND_ANY:
        return TRUE;
    case QAPI_KIND_BOOL:
    case QAPI_KIND_INT8:
    case QAPI_KIND_INT16:
    case QAPI_KIND_INT32:
    case QAPI_KIND_INT64:
    case QAPI_KIND_UINT8:
    case QAPI_KIND_UINT16:
    case QAPI_KIND_UINT32:
    case QAPI_KIND_UINT64:
    case QAPI_KIND_NUMBER:
    case QAPI_KIND_ENUM:
    case QAPI_KIND_NULL:
        return FALSE;
    }
    g_return_val_if_reached(FALSE);
}

gboolean
qapi_member_is_present(const QapiMember *member, gconstpointer object)
{
    const char *place = object;

    if (member->has == QAPI_MANDATORY)
        return TRUE;
    if (member->has == QAPI_BY_POINTER)
        return *(const gconstpointer *)(place + member->offset) != NULL;
    return *(const gboolean *)(place + member->has);
}

gint
qapi_enum_parse(const QapiType *type, const char *name)
{
    for (guint i = 0; i < type->n_values; i++)
        if (g_str_equal(type->values[i], name))
            return (gint)i;
    return -1;
}

#define BUILTIN(type_name, type_kind, c_type)                            \
    {                                                                    \
        .name = (type_name), .kind = (type_kind), .size = sizeof(c_type) \
    }

const QapiType qapi_type_bool = BUILTIN("bool", QAPI_KIND_BOOL, gboolean);
const QapiType qapi_type_int8 = BUILTIN("int8", QAPI_KIND_INT8, gint8);
const QapiType qapi_type_int16 = BUILTIN("int16", QAPI_KIND_INT16, gint16);
const QapiType qapi_type_int32 = BUILTIN("int32", QAPI_KIND_INT32, gint32);
const QapiType qapi_type_int64 = BUILTIN("int", QAPI_KIND_INT64, gint64);
const QapiType qapi_type_uint8 = BUILTIN("uint8", QAPI_KIND_UINT8, guint8);
const QapiType qapi_type_uint16 = BUILTIN("uint16", QAPI_KIND_UINT16, guint16);
const QapiType qapi_type_uint32 = BUILTIN("uint32", QAPI_KIND_UINT32, guint32);
const QapiType qapi_type_uint64 = BUILTIN("uint64", QAPI_KIND_UINT64, guint64);
const QapiType qapi_type_number = BUILTIN("number", QAPI_KIND_NUMBER, gdouble);
const QapiType qapi_type_string = BUILTIN("str", QAPI_KIND_STRING, char *);
const QapiType qapi_type_base64 = BUILTIN("str", QAPI_KIND_BASE64, GBytes *);
const QapiType qapi_type_any = BUILTIN("any", QAPI_KIND_ANY, gpointer);
const QapiType qapi_type_null = BUILTIN("null", QAPI_KIND_NULL, gboolean);
