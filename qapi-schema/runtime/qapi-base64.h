/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Base64 at memory speed. Decoding accepts what upstream accepts (which is not
 * what RFC 4648 does): the standard alphabet and newlines anywhere; an incomplete
 * last group is dropped; padded groups may follow each other.
 */
#pragma once

#include <glib.h>

/* Encoded size of `size` bytes. */
#define QAPI_BASE64_SIZE(size) (((size) + 2) / 3 * 4)

/* Decode `text` (a string argument as the frame holds it) in place. On success the first
 * *ret_size bytes of `text` are the data. On failure ("Base64 data contains invalid
 * characters") its contents are undefined. */
gboolean qapi_base64_decode(char *text, gsize length, gsize *ret_size,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Encode `size` bytes into `text` (QAPI_BASE64_SIZE(size) bytes, no NUL). Padded, no line
 * breaks. Pieces of a longer run must have a size divisible by 3 but for the last. */
void qapi_base64_encode(const void *data, gsize size, char *text);
