/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Refusals. */
#include "core/refusal.h"

#include <errno.h>
#include <string.h>

#include "runtime/qapi-error.h"

static const char *const words[] = {
    [GA_REFUSAL_BAD_VALUE] = "bad-value",   [GA_REFUSAL_BUSY] = "busy",
    [GA_REFUSAL_CANCELLED] = "cancelled",   [GA_REFUSAL_CURSOR_EXPIRED] = "cursor-expired",
    [GA_REFUSAL_FAILED] = "failed",         [GA_REFUSAL_INTERRUPTED] = "interrupted",
    [GA_REFUSAL_NO_SPACE] = "no-space",     [GA_REFUSAL_NOT_FOUND] = "not-found",
    [GA_REFUSAL_PERMISSION] = "permission", [GA_REFUSAL_PLAN_CHANGED] = "plan-changed",
    [GA_REFUSAL_BUDGET] = "budget",         [GA_REFUSAL_RATE_LIMITED] = "rate-limited",
    [GA_REFUSAL_TIMEOUT] = "timeout",       [GA_REFUSAL_UNSUPPORTED] = "unsupported",
    [GA_REFUSAL_EXISTS] = "exists",
};

static const struct {
    gint number;
    GaRefusal refusal;
} by_errno[] = {
    { ENOENT, GA_REFUSAL_NOT_FOUND },  { ENOTDIR, GA_REFUSAL_NOT_FOUND },
    { ESRCH, GA_REFUSAL_NOT_FOUND },   { EACCES, GA_REFUSAL_PERMISSION },
    { EPERM, GA_REFUSAL_PERMISSION },  { EROFS, GA_REFUSAL_PERMISSION },
    { ENOSPC, GA_REFUSAL_NO_SPACE },   { EBUSY, GA_REFUSAL_BUSY },
    { ETIMEDOUT, GA_REFUSAL_TIMEOUT }, { ENOSYS, GA_REFUSAL_UNSUPPORTED },
    { EINVAL, GA_REFUSAL_BAD_VALUE },  { ENAMETOOLONG, GA_REFUSAL_BAD_VALUE },
    { EEXIST, GA_REFUSAL_EXISTS },     { EOPNOTSUPP, GA_REFUSAL_UNSUPPORTED },
    { EXDEV, GA_REFUSAL_UNSUPPORTED },
};

const char *
ga_refusal_word(GaRefusal refusal)
{
    return words[refusal];
}

GaRefusal
ga_refusal_of(const GError *error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        gsize length = strlen(words[i]);

        if (strncmp(error->message, words[i], length) == 0 && error->message[length] == ':')
            return (GaRefusal)i;
    }
    return GA_REFUSAL_FAILED;
}

void
ga_refuse(GError **error, GaRefusal refusal, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    g_autofree char *text = g_strdup_vprintf(format, values);
    va_end(values);
    qapi_set_error(error, "%s: %s", words[refusal], text);
}

static GaRefusal
refusal_of(gint number)
{
    for (gsize i = 0; i < G_N_ELEMENTS(by_errno); i++)
        if (by_errno[i].number == number)
            return by_errno[i].refusal;
    return GA_REFUSAL_FAILED;
}

void
ga_refuse_errno(GError **error, gint number, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    g_autofree char *text = g_strdup_vprintf(format, values);
    va_end(values);
    qapi_set_errno(error, number, "%s: %s", words[refusal_of(number)], text);
}
