/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/* Bytes as people write them: 4096, 64K, 1.5M or 2G, in powers of 1024. Up to G_MAXINT64; fails
 * with a G_OPTION_ERROR that names `option`. */
gboolean size_parse(const char *option, const char *text, guint64 *ret_size,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
