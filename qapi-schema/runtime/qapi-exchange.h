/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The client's side of one exchange: a request as text, and what its reply says. */
#pragma once

#include "runtime/qapi-type.h"

/* One line without its end, transfer full. `args` is a struct of `args_type`; NULL: none. */
char *qapi_request_text(const char *command, const QapiType *args_type, gconstpointer args,
                        gsize *ret_size);

typedef enum {
    QAPI_REPLY_RETURN, /* *ret_place was read */
    QAPI_REPLY_ERROR,  /* *error is the server's, of QAPI_ERROR */
    QAPI_REPLY_BROKEN, /* *error says why this is no reply */
} QapiReply;

/* `ret_place` is where a member of `type` would stand (strings are copied); without a type the
 * result does not matter. */
QapiReply qapi_reply_read(const char *line, gsize size, const QapiType *type, gpointer ret_place,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;
