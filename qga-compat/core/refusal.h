/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How extension commands say no: "busy: another transfer writes this file". The class on the
 * wire is GenericError, as clients have closed enums; the first word is what a program
 * reads, and the schema lists the words (NovacronErrorCode).
 */
#pragma once

#include <glib.h>

/* In the order of the schema. */
typedef enum {
    GA_REFUSAL_BAD_VALUE,
    GA_REFUSAL_BUSY,
    GA_REFUSAL_CANCELLED,
    GA_REFUSAL_CURSOR_EXPIRED,
    GA_REFUSAL_FAILED,
    GA_REFUSAL_INTERRUPTED,
    GA_REFUSAL_NO_SPACE,
    GA_REFUSAL_NOT_FOUND,
    GA_REFUSAL_PERMISSION,
    GA_REFUSAL_PLAN_CHANGED,
    GA_REFUSAL_BUDGET,
    GA_REFUSAL_RATE_LIMITED,
    GA_REFUSAL_TIMEOUT,
    GA_REFUSAL_UNSUPPORTED,
    GA_REFUSAL_EXISTS,
} GaRefusal;

/* The word. */
const char *ga_refusal_word(GaRefusal refusal);

/* The word that a refusal made below begins with, told back; of any other error: failed. */
GaRefusal ga_refusal_of(const GError *error);

/* "WORD: TEXT" */
void ga_refuse(GError **error, GaRefusal refusal, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* "WORD: TEXT: STRERROR", with the word that fits the errno value: not-found, permission,
 * no-space, busy, exists, unsupported, timeout, else failed. */
void ga_refuse_errno(GError **error, gint number, const char *format, ...) G_GNUC_PRINTF(3, 4);
