/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a parsed value to a call: envelope, table, gate. */
#pragma once

#include "core/call.h"
#include "core/request.h"

/* Make the call that `value` asks for. NULL and the error that answers it otherwise; that echoes
 * `ret_request->id`, which is set in any case. */
GaCall *ga_dispatch(GaSession *session, QapiValue *value, GaRequest *ret_request,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
