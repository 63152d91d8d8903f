/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reader. Members are taken in the order of the schema, whatever order
 * they were sent in, and what is left over is complained about at the end of
 * each object: which error a client sees first is part of the contract.
 */
#include "runtime/qapi-read.h"

#include <string.h>

#include "runtime/qapi-base64.h"
#include "runtime/qapi-error.h"

/* Where in the arguments we are: chained on the stack, spelt out only for an error. */
typedef struct Path Path;
struct Path {
    const Path *parent; /* NULL: a member of the arguments themselves */
    const char *name;   /* NULL: element `index` of the parent */
    guint index;
};

typedef struct {
    QapiValue *value;
    QapiReadMode mode;
    GError **error;
} Reader;

static gboolean read_value(const Reader *reader, const QapiType *type, const QapiNode *node,
                           const Path *path, gpointer place);
static gboolean read_object(const Reader *reader, const QapiType *type, const QapiNode *node,
                            const Path *path, gpointer object);

static void
append_path(GString *text, const Path *path)
{
    if (path->parent)
        append_path(text, path->parent);
    if (!path->name)
        g_string_append_printf(text, "[%u]", path->index);
    else
        g_string_append_printf(text, "%s%s", text->len ? "." : "", path->name);
}

static char *
path_text(const Path *path)
{
    GString *text = g_string_new(NULL);

    append_path(text, path);
    return g_string_free(text, FALSE);
}

static gboolean
fail_type(const Reader *reader, const Path *path, const char *expected)
{
    g_autofree char *text = path_text(path);

    qapi_set_error(reader->error, "Invalid parameter type for '%s', expected: %s", text, expected);
    return FALSE;
}

static gboolean
fail_range(const Reader *reader, const Path *path, const QapiType *type)
{
    g_autofree char *text = path_text(path);

    qapi_set_error(reader->error, "Parameter '%s' expects %s", text, type->name);
    return FALSE;
}

/* `what` is wrong with the member `name` of what `parent` leads to. */
static gboolean
fail_member(const Reader *reader, const Path *parent, const char *name, const char *what)
{
    const Path path = { .parent = parent, .name = name };
    g_autofree char *text = path_text(&path);

    qapi_set_error(reader->error, "Parameter '%s' is %s", text, what);
    return FALSE;
}

static gpointer
place_at(gpointer object, gssize offset)
{
    return (char *)object + offset;
}

static gboolean
read_bool(const Reader *reader, const QapiNode *node, const Path *path, gboolean *ret_value)
{
    if (node->kind != QAPI_NODE_TRUE && node->kind != QAPI_NODE_FALSE)
        return fail_type(reader, path, "boolean");
    *ret_value = node->kind == QAPI_NODE_TRUE;
    return TRUE;
}

static void
store_integer(const QapiType *type, guint64 bits, gpointer place)
{
    switch (type->size) {
    case sizeof(guint8):
        *(guint8 *)place = (guint8)bits;
        break;
    case sizeof(guint16):
        *(guint16 *)place = (guint16)bits;
        break;
    case sizeof(guint32):
        *(guint32 *)place = (guint32)bits;
        break;
    default:
        *(guint64 *)place = bits;
        break;
    }
}

static gboolean
read_signed(const Reader *reader, const QapiType *type, const QapiNode *node, const Path *path,
            gpointer place)
{
    gint64 max = G_MAXINT64 >> (64 - 8 * type->size);

    if (node->kind != QAPI_NODE_INT64)
        return fail_type(reader, path, "integer");
    if (node->int64 > max || node->int64 < -max - 1)
        return fail_range(reader, path, type);
    store_integer(type, (guint64)node->int64, place);
    return TRUE;
}

static gboolean
read_unsigned(const Reader *reader, const QapiType *type, const QapiNode *node, const Path *path,
              gpointer place)
{
    guint64 max = G_MAXUINT64 >> (64 - 8 * type->size);

    if (node->kind != QAPI_NODE_INT64 && node->kind != QAPI_NODE_UINT64)
        return fail_range(reader, path, type);
    /* A negative number wraps around, as upstream; only the full 64 bits have room for it. */
    guint64 number = node->kind == QAPI_NODE_INT64 ? (guint64)node->int64 : node->uint64;
    if (number > max)
        return fail_range(reader, path, type);
    store_integer(type, number, place);
    return TRUE;
}

static gboolean
read_number(const Reader *reader, const QapiNode *node, const Path *path, gdouble *ret_value)
{
    switch ((QapiNodeKind)node->kind) {
    case QAPI_NODE_INT64:
        *ret_value = (gdouble)node->int64;
        return TRUE;
    case QAPI_NODE_UINT64:
        *ret_value = (gdouble)node->uint64;
        return TRUE;
    case QAPI_NODE_DOUBLE:
        *ret_value = node->number;
        return TRUE;
    default:
        return fail_type(reader, path, "number");
    }
}

static gboolean
read_string(const Reader *reader, const QapiNode *node, const Path *path, char **ret_value)
{
    if (node->kind != QAPI_NODE_STRING)
        return fail_type(reader, path, "string");

    char *text = qapi_node_text(reader->value, node);
    *ret_value = reader->mode == QAPI_READ_COPY ? g_strndup(text, node->string.length) : text;
    return TRUE;
}

/* The value's text is decoded in a copy: others may hold the value, too. */
static gboolean
read_base64(const Reader *reader, const QapiNode *node, const Path *path, GBytes **ret_value)
{
    if (node->kind != QAPI_NODE_STRING)
        return fail_type(reader, path, "string");

    g_autofree char *data = g_strndup(qapi_node_text(reader->value, node), node->string.length);
    gsize size;
    if (!qapi_base64_decode(data, node->string.length, &size, reader->error))
        return FALSE;
    *ret_value = g_bytes_new_take(g_steal_pointer(&data), size);
    return TRUE;
}

static gboolean
read_enum(const Reader *reader, const QapiType *type, const QapiNode *node, const Path *path,
          gint *ret_value)
{
    if (node->kind != QAPI_NODE_STRING)
        return fail_type(reader, path, "string");

    const char *text = qapi_node_text(reader->value, node);
    gint number = qapi_enum_parse(type, text);
    if (number < 0) {
        /* Upstream gives the plain name here, not the path. */
        g_autofree char *name = path->name ? g_strdup(path->name) : path_text(path);
        qapi_set_error(reader->error, "Parameter '%s' does not accept value '%s'", name, text);
        return FALSE;
    }
    *ret_value = number;
    return TRUE;
}

static gboolean
read_null(const Reader *reader, const QapiNode *node, const Path *path)
{
    return node->kind == QAPI_NODE_NULL || fail_type(reader, path, "null");
}

static gboolean
read_any(const Reader *reader, const QapiNode *node, QapiAny **ret_value)
{
    QapiAny *any = qapi_any_new_text(NULL);

    any->value = qapi_value_ref(reader->value);
    any->node = node;
    *ret_value = any;
    return TRUE;
}

static gpointer
append_element(const QapiType *element, gpointer list)
{
    if (qapi_kind_is_pointer(element->kind)) {
        GPtrArray *pointers = list;
        g_ptr_array_add(pointers, NULL);
        return &pointers->pdata[pointers->len - 1];
    }

    GArray *scalars = list;
    g_array_set_size(scalars, scalars->len + 1);
    return scalars->data + (gsize)(scalars->len - 1) * element->size;
}

static gboolean
read_list(const Reader *reader, const QapiType *type, const QapiNode *node, const Path *path,
          gpointer *ret_list)
{
    const QapiType *element = type->element;

    if (node->kind != QAPI_NODE_LIST)
        return fail_type(reader, path, "array");

    if (qapi_kind_is_pointer(element->kind))
        *ret_list = g_ptr_array_sized_new(node->n_children);
    else
        *ret_list = g_array_sized_new(FALSE, TRUE, element->size, node->n_children);

    const QapiNode *child = node + 1;
    for (guint i = 0; i < node->n_children; i++) {
        const Path at = { .parent = path, .index = i };
        if (!read_value(reader, element, child, &at, append_element(element, *ret_list)))
            return FALSE;
        child = qapi_node_next(child);
    }
    return TRUE;
}

/* Which kind of JSON a branch of an alternate is for. Numbers are one kind: a branch of
 * integers gets 1.5, too, and refuses it. */
static gboolean
branch_takes(const QapiType *branch, const QapiNode *node)
{
    switch ((QapiNodeKind)node->kind) {
    case QAPI_NODE_NULL:
        return branch->kind == QAPI_KIND_NULL;
    case QAPI_NODE_FALSE:
    case QAPI_NODE_TRUE:
        return branch->kind == QAPI_KIND_BOOL;
    case QAPI_NODE_INT64:
    case QAPI_NODE_UINT64:
    case QAPI_NODE_DOUBLE:
        return branch->kind >= QAPI_KIND_INT8 && branch->kind <= QAPI_KIND_NUMBER;
    case QAPI_NODE_STRING:
        return branch->kind == QAPI_KIND_STRING || branch->kind == QAPI_KIND_BASE64 ||
               branch->kind == QAPI_KIND_ENUM;
    case QAPI_NODE_LIST:
        return branch->kind == QAPI_KIND_LIST;
    case QAPI_NODE_OBJECT:
        return branch->kind == QAPI_KIND_STRUCT || branch->kind == QAPI_KIND_UNION;
    }
    g_return_val_if_reached(FALSE);
}

static gboolean
read_alternate(const Reader *reader, const QapiType *type, const QapiNode *node, const Path *path,
               gpointer *ret_object)
{
    QapiBranch branch = 0;

    while (branch < type->n_members && !branch_takes(type->members[branch].type, node))
        branch++;
    if (branch == type->n_members)
        return fail_type(reader, path, type->name);

    *ret_object = g_malloc0(type->size);
    *(QapiBranch *)*ret_object = branch;
    return read_value(reader, type->members[branch].type, node, path,
                      place_at(*ret_object, type->members[branch].offset));
}

static gboolean
read_pointer_to_object(const Reader *reader, const QapiType *type, const QapiNode *node,
                       const Path *path, gpointer *ret_object)
{
    if (node->kind != QAPI_NODE_OBJECT)
        return fail_type(reader, path, "object");
    *ret_object = g_malloc0(type->size);
    return read_object(reader, type, node, path, *ret_object);
}

/* Whatever a failed read leaves at `place` can be freed; the outermost caller does. Recursion is
 * bounded by the schema, and for types that hold themselves by QAPI_PARSE_MAX_DEPTH. */
static gboolean
read_value(const Reader *reader, const QapiType *type, const QapiNode *node, const Path *path,
           gpointer place)
{
    switch (type->kind) {
    case QAPI_KIND_BOOL:
        return read_bool(reader, node, path, place);
    case QAPI_KIND_INT8:
    case QAPI_KIND_INT16:
    case QAPI_KIND_INT32:
    case QAPI_KIND_INT64:
        return read_signed(reader, type, node, path, place);
    case QAPI_KIND_UINT8:
    case QAPI_KIND_UINT16:
    case QAPI_KIND_UINT32:
    case QAPI_KIND_UINT64:
        return read_unsigned(reader, type, node, path, place);
    case QAPI_KIND_NUMBER:
        return read_number(reader, node, path, place);
    case QAPI_KIND_STRING:
        return read_string(reader, node, path, place);
    case QAPI_KIND_BASE64:
        return read_base64(reader, node, path, place);
    case QAPI_KIND_ENUM:
        return read_enum(reader, type, node, path, place);
    case QAPI_KIND_STRUCT:
    case QAPI_KIND_UNION:
        return read_pointer_to_object(reader, type, node, path, place);
    case QAPI_KIND_ALTERNATE:
        return read_alternate(reader, type, node, path, place);
    case QAPI_KIND_LIST:
        return read_list(reader, type, node, path, place);
    case QAPI_KIND_ANY:
        return read_any(reader, node, place);
    case QAPI_KIND_NULL:
        return read_null(reader, node, path);
    }
    g_return_val_if_reached(FALSE);
}

static const QapiNode *
find_member(const Reader *reader, const QapiNode *node, const QapiMember *member)
{
    return node ? qapi_node_member(reader->value, node, member->name) : NULL;
}

static gboolean
read_member(const Reader *reader, const QapiMember *member, const QapiNode *node,
            const Path *parent, gpointer object)
{
    const QapiNode *child = find_member(reader, node, member);
    const Path path = { .parent = parent, .name = member->name };

    if (!child)
        return member->has != QAPI_MANDATORY ||
               fail_member(reader, parent, member->name, "missing");
    if (member->has >= 0)
        *(gboolean *)place_at(object, member->has) = TRUE;
    return read_value(reader, member->type, child, &path, place_at(object, member->offset));
}

static gboolean
fail_unexpected(const Reader *reader, const QapiType *flat, const QapiNode *node, const Path *path)
{
    g_autofree const char **keys = g_new(const char *, node->n_children);
    g_autofree const char **consumed = g_new(const char *, flat->n_members);
    const QapiNode *key = node + 1;
    guint n_consumed = 0;

    for (guint i = 0; i < node->n_children; i++) {
        keys[i] = qapi_node_text(reader->value, key);
        key = qapi_node_next(key + 1);
    }
    for (guint i = 0; i < flat->n_members; i++)
        if (find_member(reader, node, &flat->members[i]))
            consumed[n_consumed++] = flat->members[i].name;

    const char *name = qapi_first_unexpected(keys, node->n_children, consumed, n_consumed);
    return fail_member(reader, path, name, "unexpected");
}

static gboolean
check_leftover(const Reader *reader, const QapiType *flat, const QapiNode *node, const Path *path)
{
    guint n_found = 0;

    if (!node || !node->n_children || reader->mode == QAPI_READ_COPY)
        return TRUE;
    for (guint i = 0; i < flat->n_members; i++)
        n_found += find_member(reader, node, &flat->members[i]) != NULL;
    return n_found == node->n_children || fail_unexpected(reader, flat, node, path);
}

/* The members of a union's base come first in all its branches, so one pass over the base tells
 * the branch, and the rest of the branch follows. */
static gboolean
read_object(const Reader *reader, const QapiType *type, const QapiNode *node, const Path *path,
            gpointer object)
{
    const QapiType *flat = type;

    for (guint i = 0; i < type->n_members; i++)
        if (!read_member(reader, &type->members[i], node, path, object))
            return FALSE;

    if (type->kind == QAPI_KIND_UNION) {
        guint16 offset = type->members[type->discriminator].offset;
        flat = type->branches[*(gint *)place_at(object, offset)];
    }
    for (guint i = type->n_members; i < flat->n_members; i++)
        if (!read_member(reader, &flat->members[i], node, path, object))
            return FALSE;

    return check_leftover(reader, flat, node, path);
}

gboolean
qapi_read_struct(const QapiType *type, QapiValue *value, const QapiNode *node, QapiReadMode mode,
                 gpointer ret_object, GError **error)
{
    const Reader reader = { value, mode, error };

    if (read_object(&reader, type, node, NULL, ret_object))
        return TRUE;
    qapi_clear(type, ret_object, mode == QAPI_READ_BORROW);
    return FALSE;
}

gboolean
qapi_read(const QapiType *type, QapiValue *value, const QapiNode *node, QapiReadMode mode,
          const char *name, gpointer ret_place, GError **error)
{
    const Reader reader = { value, mode, error };
    const Path path = { .name = name };

    if (read_value(&reader, type, node, &path, ret_place))
        return TRUE;

    const QapiMember member = { .name = name, .has = QAPI_MANDATORY, .type = type };
    const QapiType holder = {
        .kind = QAPI_KIND_STRUCT,
        .size = qapi_kind_is_pointer(type->kind) ? sizeof(gpointer) : type->size,
        .n_members = 1,
        .members = &member,
    };
    qapi_clear(&holder, ret_place, mode == QAPI_READ_BORROW);
    return FALSE;
}
