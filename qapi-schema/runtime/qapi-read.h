/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A parsed value into a C struct, with upstream's error texts in upstream's order. */
#pragma once

#include "runtime/qapi-type.h"
#include "runtime/qapi-value.h"

typedef enum {
    /* Arguments: strings point into `value`, which must outlive the struct. */
    QAPI_READ_BORROW,
    /* Results: strings are copied, the struct stands alone. Members that the type does not have
     * are passed over, since the sender may be newer. */
    QAPI_READ_COPY,
} QapiReadMode;

/* Fill the zeroed struct at `ret_object` (type->size bytes) from `node`; a NULL node counts
 * as an empty object. Base64 members are decoded into bytes of their own in either mode. On
 * failure it is left zeroed. Free with qapi_clear(). */
gboolean qapi_read_struct(const QapiType *type, QapiValue *value, const QapiNode *node,
                          QapiReadMode mode, gpointer ret_object,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same for a value of any type, as it would stand in a member: `ret_place` is a
 * pointer's or a scalar's place. `name` is used in messages. */
gboolean qapi_read(const QapiType *type, QapiValue *value, const QapiNode *node, QapiReadMode mode,
                   const char *name, gpointer ret_place, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Which of several unexpected members upstream names: the first live slot of its hash table
 * once the consumed ones were removed. `keys` in the order of the request, `consumed` in the
 * order of the schema. Public for tests. */
const char *qapi_first_unexpected(const char *const *keys, guint n_keys,
                                  const char *const *consumed, guint n_consumed);
