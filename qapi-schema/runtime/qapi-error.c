/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The error domain. Nothing here formats for the wire: a message is stored
 * byte by byte, even where it quotes invalid UTF-8; the writer replaces that.
 */
#include "runtime/qapi-error.h"

#include <string.h>

G_DEFINE_QUARK(qapi_error, qapi_error)

static const char *const class_names[] = {
    [QAPI_ERROR_GENERIC] = "GenericError",
    [QAPI_ERROR_COMMAND_NOT_FOUND] = "CommandNotFound",
    [QAPI_ERROR_DEVICE_NOT_ACTIVE] = "DeviceNotActive",
    [QAPI_ERROR_DEVICE_NOT_FOUND] = "DeviceNotFound",
    [QAPI_ERROR_KVM_MISSING_CAP] = "KVMMissingCap",
};

const char *
qapi_error_class_name(const GError *error)
{
    gboolean is_ours = error->domain == QAPI_ERROR && error->code >= 0 &&
                       error->code < (gint)G_N_ELEMENTS(class_names);

    return class_names[is_ours ? error->code : QAPI_ERROR_GENERIC];
}

void
qapi_set_error(GError **error, const char *format, ...)
{
    va_list arguments;

    if (!error)
        return;

    va_start(arguments, format);
    g_propagate_error(error, g_error_new_valist(QAPI_ERROR, QAPI_ERROR_GENERIC, format, arguments));
    va_end(arguments);
}

void
qapi_set_errno(GError **error, gint number, const char *format, ...)
{
    va_list arguments;

    if (!error)
        return;

    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    qapi_set_error(error, "%s: %s", text, strerror(number));
}
