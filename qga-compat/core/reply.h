/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The envelope of an answer: one line, written into a session's writer. */
#pragma once

#include "runtime/qapi-write.h"

/* {"return": ..., "id": ...}. `place` is where a member of type `result` would stand; a NULL type
 * answers {}. `id` may be NULL. */
void ga_reply_return(QapiWriter *writer, const QapiType *result, gconstpointer place,
                     const QapiValue *value, const QapiNode *id);

/* The same with a result that is JSON text already. */
void ga_reply_return_text(QapiWriter *writer, const char *text, gsize size, const QapiValue *value,
                          const QapiNode *id);

/* {"id": ..., "error": {...}} */
void ga_reply_error(QapiWriter *writer, const GError *error, const QapiValue *value,
                    const QapiNode *id);
