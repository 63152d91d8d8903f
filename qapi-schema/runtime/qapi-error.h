/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The error domain of everything a client can be told. A code is the class on
 * the wire and a message is the `desc`, so both are part of the contract.
 */
#pragma once

#include <glib.h>

/* The five classes of QAPI. Clients have closed enums: there is never a sixth. */
typedef enum {
    QAPI_ERROR_GENERIC,
    QAPI_ERROR_COMMAND_NOT_FOUND,
    QAPI_ERROR_DEVICE_NOT_ACTIVE,
    QAPI_ERROR_DEVICE_NOT_FOUND,
    QAPI_ERROR_KVM_MISSING_CAP,
} QapiErrorClass;

#define QAPI_ERROR (qapi_error_quark())
GQuark qapi_error_quark(void);

/* The class as it is spelt on the wire; GenericError for errors of other domains. */
const char *qapi_error_class_name(const GError *error);

/* A GenericError. The text goes to the client as it is. */
void qapi_set_error(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* A GenericError "TEXT: STRERROR". `number` is an errno value, taken at the line of the system
 * call. Clients look for the C locale's texts; nothing in the agent ever sets another. */
void qapi_set_errno(GError **error, gint number, const char *format, ...) G_GNUC_PRINTF(3, 4);
