/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Modified UTF-8 as the wire has it: like UTF-8, but U+0000 is C0 80 and
 * nothing that is not a character exists.
 */
#pragma once

#include <glib.h>

/* How many bytes at the start of `text` stand for themselves in a JSON string: printable
 * ASCII but for `quote` and the backslash. */
gsize qapi_plain_length(const char *text, gsize size, char quote);

/* Not a surrogate, not one of the 66 noncharacters, not beyond Unicode. */
gboolean qapi_is_character(guint32 code);

/* The character that `text` (at least one byte) starts with, or -1 for invalid bytes.
 * *ret_length is how many bytes it takes, or how many one replacement character replaces. */
gint32 qapi_utf8_decode(const char *text, gsize size, gsize *ret_length);

/* The bytes of a character into `text` (room for 4). Returns their number. */
gsize qapi_utf8_encode(guint32 code, char *text);
