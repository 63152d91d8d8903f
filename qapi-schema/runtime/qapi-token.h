/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the bytes of a string, number or keyword mean. */
#pragma once

#include "runtime/qapi-value.h"

/* What is wrong with the input. Upstream cuts such messages to 1023 bytes, wherever that falls. */
typedef struct {
    char text[1024];
} QapiProblem;

/* For `return`: always FALSE. */
gboolean qapi_problem(QapiProblem *ret_problem, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Unescape and check a string token, quotes included, in place: its text then starts at
 * token + 1 and a NUL follows its *ret_length bytes. */
gboolean qapi_token_unquote(char *token, gsize length, gsize *ret_length, QapiProblem *ret_problem);

/* Number tokens, NUL-terminated, into a node of the kind that holds them. */
void qapi_token_integer(const char *token, QapiNode *ret_node);
void qapi_token_float(const char *token, QapiNode *ret_node);

/* null, false, true. */
gboolean qapi_token_keyword(const char *token, gsize length, QapiNode *ret_node,
                            QapiProblem *ret_problem);
