/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The implementations between which qapi-base64.c chooses, so that tests can try each. */
#pragma once

#include <glib.h>

typedef struct {
    const char *name;
    /* Decode groups of four alphabet characters up to the first that has another one in it.
     * Returns how many characters. `data` has room for `length` bytes; it may be `text`. */
    gsize (*decode)(const char *text, gsize length, guint8 *data);
    /* Encode all groups of three bytes. Returns how many bytes. */
    gsize (*encode)(const guint8 *data, gsize size, char *text);
} QapiBase64Kernel;

/* Those that this machine can run, numbered from 0, the best one first; NULL beyond. */
const QapiBase64Kernel *qapi_base64_kernel(guint number);

/* The public functions over a given kernel. */
gboolean qapi_base64_decode_with(const QapiBase64Kernel *kernel, char *text, gsize length,
                                 gsize *ret_size);
void qapi_base64_encode_with(const QapiBase64Kernel *kernel, const void *data, gsize size,
                             char *text);
