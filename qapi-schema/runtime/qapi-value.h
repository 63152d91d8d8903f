/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A parsed JSON text: one buffer of unescaped, NUL-terminated strings and one
 * array of 16-byte nodes in document order. Neither has pointers into the
 * other, so both may move while the text still arrives.
 *
 * Strings are modified UTF-8: \u0000 is C0 80, hence no string has a NUL in it.
 */
#pragma once

#include <glib.h>

typedef enum {
    QAPI_NODE_NULL,
    QAPI_NODE_FALSE,
    QAPI_NODE_TRUE,
    QAPI_NODE_INT64,  /* an integer that fits int64 */
    QAPI_NODE_UINT64, /* one that only fits uint64 */
    QAPI_NODE_DOUBLE,
    QAPI_NODE_STRING,
    QAPI_NODE_LIST,
    QAPI_NODE_OBJECT, /* children: key (a string node), value, key, value ... */
} QapiNodeKind;

typedef struct {
    guint32 kind; /* QapiNodeKind */
    guint32 skip; /* nodes in this subtree, itself included: the next sibling is node + skip */
    union {
        struct {
            guint32 offset; /* into the text buffer */
            guint32 length; /* bytes, without the NUL */
        } string;
        guint32 n_children; /* elements of a list, members of an object */
        gint64 int64;
        guint64 uint64;
        gdouble number;
    };
} QapiNode;

typedef struct QapiValue QapiValue; /* reference-counted, immutable but for qapi_node_text() */

QapiValue *qapi_value_ref(QapiValue *value);
void qapi_value_unref(QapiValue *value);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(QapiValue, qapi_value_unref)

/* Its text is overwritten when the last reference goes. */
void qapi_value_set_secret(QapiValue *value);

const QapiNode *qapi_value_root(const QapiValue *value);

/* A string node's text, valid as long as the value. It may be overwritten by its one
 * reader: base64 is decoded in place. */
char *qapi_node_text(const QapiValue *value, const QapiNode *node);

/* The next sibling. Inside an object, siblings alternate between keys and values. */
const QapiNode *qapi_node_next(const QapiNode *node);

/* The value of member `name` of an object, or NULL. Linear: for objects that are
 * known to be small, such as the envelope. */
const QapiNode *qapi_node_member(const QapiValue *value, const QapiNode *object, const char *name);

/* For a schema member of type 'any': JSON that the marshalling does not look into.
 * Exactly one of `text` and `value` is set. */
typedef struct {
    char *text;           /* owned: JSON text, written as it is */
    QapiValue *value;     /* owned reference: what a client sent */
    const QapiNode *node; /* in `value` */
} QapiAny;

QapiAny *qapi_any_new_text(char *text /* (transfer full) */);
void qapi_any_free(QapiAny *any);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(QapiAny, qapi_any_free)
