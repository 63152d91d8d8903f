/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keys seen in one object: finds duplicates without scanning. */
#pragma once

#include "runtime/qapi-value.h"

typedef struct QapiKeySet QapiKeySet;

QapiKeySet *qapi_key_set_new(void);
void qapi_key_set_free(QapiKeySet *set);

/* Add the key that is node number `node` of `value`. FALSE if an equal one is there. */
gboolean qapi_key_set_add(QapiKeySet *set, const QapiValue *value, guint32 node);
