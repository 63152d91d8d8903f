/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "novacronctl/size.h"

#include <string.h>

#define UNITS "KMGT"
#define UNIT_BITS 10

gboolean
size_parse(const char *option, const char *text, guint64 *ret_size, GError **error)
{
    char *end;
    gdouble size = g_ascii_strtod(text, &end);
    const char *unit = *end ? strchr(UNITS, g_ascii_toupper(*end)) : NULL;

    if (unit) {
        size *= (gdouble)(G_GUINT64_CONSTANT(1) << UNIT_BITS * (unit - UNITS + 1));
        end++;
    }
    if (end == text || *end || !g_ascii_isdigit(*text) ||
        !(size >= 1 && size < (gdouble)G_MAXINT64)) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "%s takes a number of bytes, such as 65536, 64K, 1.5M or 2G", option);
        return FALSE;
    }
    *ret_size = (guint64)size;
    return TRUE;
}
