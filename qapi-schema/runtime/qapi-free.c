/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Structs to nothing, as their descriptor tells. A zeroed or half-filled
 * struct is fine: absent pointers are NULL, and a zeroed union or alternate
 * counts as its first branch, all of whose members are absent too.
 */
#include "runtime/qapi-type.h"

#include <string.h>

#include "runtime/qapi-value.h"

static void free_value(const QapiType *type, gpointer object, gboolean borrowed);

static void
clear_members(const QapiMember *members, guint n_members, gpointer object, gboolean borrowed)
{
    for (guint i = 0; i < n_members; i++)
        if (qapi_kind_is_pointer(members[i].type->kind))
            free_value(members[i].type, G_STRUCT_MEMBER(gpointer, object, members[i].offset),
                       borrowed);
}

static void
free_list(const QapiType *type, gpointer object, gboolean borrowed)
{
    if (!qapi_kind_is_pointer(type->element->kind)) {
        g_array_unref(object);
        return;
    }

    GPtrArray *list = object;
    for (guint i = 0; i < list->len; i++)
        free_value(type->element, list->pdata[i], borrowed);
    g_ptr_array_unref(list);
}

static void
free_value(const QapiType *type, gpointer object, gboolean borrowed)
{
    if (!object)
        return;

    switch (type->kind) {
    case QAPI_KIND_STRING:
        if (!borrowed)
            g_free(object);
        break;
    case QAPI_KIND_BASE64:
        g_bytes_unref(object);
        break;
    case QAPI_KIND_STRUCT:
    case QAPI_KIND_UNION:
    case QAPI_KIND_ALTERNATE:
        qapi_clear(type, object, borrowed);
        g_free(object);
        break;
    case QAPI_KIND_LIST:
        free_list(type, object, borrowed);
        break;
    case QAPI_KIND_ANY:
        qapi_any_free(object);
        break;
    default:
        g_warn_if_reached(); /* a scalar: nothing points to it */
        break;
    }
}

void
qapi_free(const QapiType *type, gpointer object)
{
    free_value(type, object, FALSE);
}

void
qapi_clear(const QapiType *type, gpointer object, gboolean borrowed)
{
    if (type->kind == QAPI_KIND_UNION) {
        gint branch = G_STRUCT_MEMBER(gint, object, type->members[type->discriminator].offset);
        const QapiType *flat = type->branches[branch];
        clear_members(flat->members, flat->n_members, object, borrowed);
    } else if (type->kind == QAPI_KIND_ALTERNATE) {
        QapiBranch branch = G_STRUCT_MEMBER(QapiBranch, object, 0);
        clear_members(type->members + branch, 1, object, borrowed);
    } else {
        clear_members(type->members, type->n_members, object, borrowed);
    }
    memset(object, 0, type->size);
}
