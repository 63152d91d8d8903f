/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of a value, for the parser that fills it. */
#pragma once

#include "runtime/qapi-value.h"

struct QapiValue {
    gint ref_count; /* atomic: a worker thread may drop the last one */
    gboolean is_secret;

    char *text;
    gsize text_size;
    gsize text_capacity;

    QapiNode *nodes;
    guint n_nodes;
    guint max_nodes;
};

QapiValue *qapi_value_new(void);

/* Append bytes to the text buffer, which may move. */
void qapi_value_append(QapiValue *value, const void *bytes, gsize size);

/* Append a node that spans just itself. The pointer is good until the next one. */
QapiNode *qapi_value_add_node(QapiValue *value, QapiNodeKind kind);
