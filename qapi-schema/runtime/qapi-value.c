/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A parsed text and the ways through it. The two buffers start so small that a
 * typical request fits, and double: their owner, the parser, bounds them.
 */
#include "runtime/qapi-value.h"

#include <string.h>

#include "runtime/qapi-secret.h"
#include "runtime/qapi-value-private.h"

#define FIRST_TEXT 256
#define FIRST_NODES 16

/* Texts that are smaller leave no copy behind when they grow: which of them holds a secret is not
 * known before it is complete. Larger ones would cost too much, and move with their pages. */
#define TRACELESS_MAX (64 * 1024)

QapiValue *
qapi_value_new(void)
{
    QapiValue *value = g_new(QapiValue, 1);

    *value = (QapiValue){
        .ref_count = 1,
        .text = g_malloc(FIRST_TEXT),
        .text_capacity = FIRST_TEXT,
        .nodes = g_new(QapiNode, FIRST_NODES),
        .max_nodes = FIRST_NODES,
    };
    return value;
}

QapiValue *
qapi_value_ref(QapiValue *value)
{
    g_atomic_int_inc(&value->ref_count);
    return value;
}

void
qapi_value_unref(QapiValue *value)
{
    if (!value || !g_atomic_int_dec_and_test(&value->ref_count))
        return;

    if (value->is_secret)
        qapi_secret_wipe(value->text, value->text_capacity);
    g_free(value->text);
    g_free(value->nodes);
    g_free(value);
}

void
qapi_value_set_secret(QapiValue *value)
{
    value->is_secret = TRUE;
}

static void
grow_text(QapiValue *value, gsize capacity)
{
    if (value->text_size > TRACELESS_MAX) {
        value->text = g_realloc(value->text, capacity);
    } else {
        char *text = g_malloc(capacity);

        memcpy(text, value->text, value->text_size);
        qapi_secret_wipe(value->text, value->text_size);
        g_free(value->text);
        value->text = text;
    }
    value->text_capacity = capacity;
}

void
qapi_value_append(QapiValue *value, const void *bytes, gsize size)
{
    if (size > value->text_capacity - value->text_size)
        grow_text(value, MAX(2 * value->text_capacity, value->text_size + size));
    memcpy(value->text + value->text_size, bytes, size);
    value->text_size += size;
}

QapiNode *
qapi_value_add_node(QapiValue *value, QapiNodeKind kind)
{
    if (value->n_nodes == value->max_nodes) {
        value->max_nodes *= 2;
        value->nodes = g_renew(QapiNode, value->nodes, value->max_nodes);
    }

    QapiNode *node = &value->nodes[value->n_nodes++];
    *node = (QapiNode){ .kind = kind, .skip = 1 };
    return node;
}

const QapiNode *
qapi_value_root(const QapiValue *value)
{
    return value->nodes;
}

char *
qapi_node_text(const QapiValue *value, const QapiNode *node)
{
    return value->text + node->string.offset;
}

const QapiNode *
qapi_node_next(const QapiNode *node)
{
    return node + node->skip;
}

const QapiNode *
qapi_node_member(const QapiValue *value, const QapiNode *object, const char *name)
{
    gsize length = strlen(name);
    const QapiNode *key = object + 1;

    for (guint32 left = object->n_children; left; left--) {
        const QapiNode *member = key + 1;
        if (key->string.length == length && !memcmp(qapi_node_text(value, key), name, length))
            return member;
        key = qapi_node_next(member);
    }
    return NULL;
}

QapiAny *
qapi_any_new_text(char *text)
{
    QapiAny *any = g_new0(QapiAny, 1);

    any->text = text;
    return any;
}

void
qapi_any_free(QapiAny *any)
{
    if (!any)
        return;

    g_free(any->text);
    qapi_value_unref(any->value);
    g_free(any);
}
