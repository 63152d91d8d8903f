/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The envelope: a parsed value as {command name, arguments, id}, or the exact protocol error. */
#pragma once

#include "runtime/qapi-value.h"

/* All borrowed from the value. */
typedef struct {
    const char *command;
    const QapiNode *arguments; /* an object, or NULL */
    const QapiNode *id;        /* anything, or NULL: none is echoed */
} GaRequest;

/* `ret_request->id` is set also on failure if the value has one: errors echo it, too. */
gboolean ga_request_read(const QapiValue *value, GaRequest *ret_request,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
