/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a client sent, written back: the only objects whose member order is not
 * known before run time. A value may be nested a thousand levels deep, so the
 * way through it is kept in arrays and not on the stack.
 */
#include <string.h>

#include "runtime/qapi-write.h"

typedef struct {
    gboolean is_object;
    guint32 n_left;
    guint32 n_children;
    const QapiNode *next; /* of a list */
    guint order;          /* of an object: where its key nodes stand in Walk.keys */
} Level;

typedef struct {
    GArray *levels; /* Level */
    GArray *keys;   /* const QapiNode *, in wire order, of all open objects */
} Walk;

guint
qapi_key_bucket(const char *key)
{
    guint32 hash = 0x238F13AFu * (guint32)strlen(key);
    guint shift = 0;

    for (; *key; key++) {
        hash += (guint32)(guint8)*key << shift;
        shift = (shift + 5) % 24;
    }
    return (1103515243u * hash + 12345u) % QAPI_KEY_BUCKETS;
}

void
qapi_wire_order(const guint16 *buckets, guint32 n_members, guint32 *ret_order)
{
    guint32 ends[QAPI_KEY_BUCKETS] = { 0 };
    guint32 end = 0;

    for (guint32 i = 0; i < n_members; i++)
        ends[buckets[i]]++;
    for (guint bucket = 0; bucket < QAPI_KEY_BUCKETS; bucket++)
        end = ends[bucket] += end;
    /* Filling each bucket from its end puts the newest first. */
    for (guint32 i = 0; i < n_members; i++)
        ret_order[--ends[buckets[i]]] = i;
}

static void
append_keys(GArray *keys, const QapiValue *value, const QapiNode *object)
{
    guint32 n_members = object->n_children;
    guint first = keys->len;
    g_autofree const QapiNode **members = g_new(const QapiNode *, n_members);
    g_autofree guint16 *buckets = g_new(guint16, n_members);
    g_autofree guint32 *order = g_new(guint32, n_members);
    const QapiNode *key = object + 1;

    for (guint32 i = 0; i < n_members; i++) {
        members[i] = key;
        buckets[i] = (guint16)qapi_key_bucket(qapi_node_text(value, key));
        key = qapi_node_next(key + 1);
    }
    qapi_wire_order(buckets, n_members, order);

    g_array_set_size(keys, first + n_members);
    for (guint32 i = 0; i < n_members; i++)
        g_array_index(keys, const QapiNode *, first + i) = members[order[i]];
}

static void
write_string(QapiWriter *writer, const QapiValue *value, const QapiNode *node)
{
    qapi_writer_string_size(writer, qapi_node_text(value, node), node->string.length);
}

static gboolean
is_container(const QapiNode *node)
{
    return node->kind == QAPI_NODE_LIST || node->kind == QAPI_NODE_OBJECT;
}

static void
write_scalar(QapiWriter *writer, const QapiValue *value, const QapiNode *node)
{
    switch ((QapiNodeKind)node->kind) {
    case QAPI_NODE_NULL:
        qapi_writer_raw(writer, "null");
        break;
    case QAPI_NODE_FALSE:
        qapi_writer_raw(writer, "false");
        break;
    case QAPI_NODE_TRUE:
        qapi_writer_raw(writer, "true");
        break;
    case QAPI_NODE_INT64:
        qapi_writer_int64(writer, node->int64);
        break;
    case QAPI_NODE_UINT64:
        qapi_writer_uint64(writer, node->uint64);
        break;
    case QAPI_NODE_DOUBLE:
        qapi_writer_double(writer, node->number);
        break;
    case QAPI_NODE_STRING:
        write_string(writer, value, node);
        break;
    case QAPI_NODE_LIST:
    case QAPI_NODE_OBJECT:
        g_return_if_reached();
    }
}

static void
enter(QapiWriter *writer, Walk *walk, const QapiValue *value, const QapiNode *node)
{
    Level level = {
        .is_object = node->kind == QAPI_NODE_OBJECT,
        .n_left = node->n_children,
        .n_children = node->n_children,
        .next = node + 1,
        .order = walk->keys->len,
    };

    if (level.is_object)
        append_keys(walk->keys, value, node);
    g_array_append_val(walk->levels, level);
    qapi_writer_raw(writer, level.is_object ? "{" : "[");
}

static void
leave(QapiWriter *writer, Walk *walk)
{
    const Level *level = &g_array_index(walk->levels, Level, walk->levels->len - 1);

    qapi_writer_raw(writer, level->is_object ? "}" : "]");
    g_array_set_size(walk->keys, level->order);
    g_array_set_size(walk->levels, walk->levels->len - 1);
}

/* The next child of the innermost level, its separator and key written; NULL at its end. */
static const QapiNode *
next_child(QapiWriter *writer, Walk *walk, const QapiValue *value)
{
    Level *level = &g_array_index(walk->levels, Level, walk->levels->len - 1);
    guint32 number = level->n_children - level->n_left;

    if (!level->n_left)
        return NULL;

    level->n_left--;
    if (number)
        qapi_writer_raw(writer, ", ");
    if (!level->is_object) {
        const QapiNode *child = level->next;
        level->next = qapi_node_next(child);
        return child;
    }

    const QapiNode *key = g_array_index(walk->keys, const QapiNode *, level->order + number);
    write_string(writer, value, key);
    qapi_writer_raw(writer, ": ");
    return key + 1;
}

void
qapi_write_echo(QapiWriter *writer, const QapiValue *value, const QapiNode *node)
{
    if (!is_container(node)) {
        write_scalar(writer, value, node);
        return;
    }

    g_autoptr(GArray) levels = g_array_new(FALSE, FALSE, sizeof(Level));
    g_autoptr(GArray) keys = g_array_new(FALSE, FALSE, sizeof(QapiNode *));
    Walk walk = { levels, keys };

    enter(writer, &walk, value, node);
    while (levels->len) {
        const QapiNode *child = next_child(writer, &walk, value);
        if (!child)
            leave(writer, &walk);
        else if (is_container(child))
            enter(writer, &walk, value, child);
        else
            write_scalar(writer, value, child);
    }
}
