/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a parsed value to a call: envelope, table, gate. */
#pragma once

#include "core/call.h"

/* Make the call that `value` asks for. NULL and the error that answers it otherwise; *ret_id is
 * what that error echoes, or NULL. */
GaCall *ga_dispatch(GaSession *session, QapiValue *value, const QapiNode **ret_id,
                    const QapiNode **ret_arguments, GError **error) G_GNUC_WARN_UNUSED_RESULT;
