/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Results as a client sees them: most of what a query makes is best compared so. */
#pragma once

#include "runtime/qapi-type.h"

/* The JSON text of an object or a list, which is freed. */
char *json_take(const QapiType *type, gpointer object);

/* Compare that with what is expected, and both with the input that it came from. */
void assert_json(const char *input, const QapiType *type, gpointer object, const char *expected);
