/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What people and programs get to see. Texts that come from a guest may hold
 * anything; whoever prints one on a terminal cleans it first.
 */
#pragma once

#include <json-glib/json-glib.h>
#include <stdio.h>

#include "runtime/qapi-type.h"

typedef struct {
    const char *label;
    const char *value; /* NULL: not shown */
} OutputPair;

/* A copy of `text` without control characters and invalid UTF-8. */
char *output_clean(const char *text);

/* A time in nanoseconds since 1970 as people here write it; NULL if it is none. */
char *output_time(gint64 ns);

/* A line for people on standard error, "novacronctl: ...", in place of a progress bar. */
void output_note(const char *format, ...) G_GNUC_PRINTF(1, 2);

void output_pairs(const OutputPair *pairs, guint n_pairs);

/* `cells` are strings, row by row, `n_columns` in each; without `headings` (NULL) rows only.
 * Columns have at least the `widths`, which grow to what they needed; the last one is cut where
 * rows would be longer than `line_max`, unless that is 0. */
void output_table(const char *const *headings, guint n_columns, const GPtrArray *cells,
                  glong *widths, glong line_max);

/* Pretty-printed JSON. */
void output_json(JsonNode *node);

/* A result of the agent as JSON; `place` is where a member of `type` would stand. */
void output_result(const QapiType *type, gconstpointer place);

/* The same as it came, on one line. */
char *output_text(const QapiType *type, gconstpointer place);

/* Bytes as they are; NULL is none. */
gboolean output_bytes(FILE *stream, GBytes *bytes, GError **error) G_GNUC_WARN_UNUSED_RESULT;
