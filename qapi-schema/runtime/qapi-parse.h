/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A push parser for the dialect of JSON on the wire: bytes in, values or
 * exactly upstream's errors out, token by token, with its limits, its recovery
 * and its LINE:COL positions.
 */
#pragma once

#include "runtime/qapi-value.h"

typedef struct QapiParser QapiParser;

typedef enum {
    QAPI_PARSE_MORE,  /* all bytes consumed, nothing complete */
    QAPI_PARSE_VALUE, /* *ret_value is a complete top-level value (transfer full) */
    QAPI_PARSE_ERROR, /* *error is what the client is to be told; go on with the next byte */
} QapiParseResult;

/* Limits of one top-level value, as upstream has them (WIRE: depth, tokens, bytes). */
#define QAPI_PARSE_MAX_DEPTH 1024
#define QAPI_PARSE_MAX_TOKENS (2u << 20)
#define QAPI_PARSE_MAX_BYTES (64u << 20)

QapiParser *qapi_parser_new(void);
void qapi_parser_free(QapiParser *parser);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(QapiParser, qapi_parser_free)

/* Feed bytes until the first event; *ret_consumed says how many of them it took. Call
 * again with the rest. Partial values and positions live on in the parser. */
QapiParseResult qapi_parser_push(QapiParser *parser, const void *data, gsize size,
                                 gsize *ret_consumed, QapiValue **ret_value, GError **error);

/* For texts of known length (replies, records): the one value in `text`, or an error also
 * when something is missing or follows. */
QapiValue *qapi_parse(const void *text, gsize size, GError **error);
