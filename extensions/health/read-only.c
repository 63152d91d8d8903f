/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A mount says rw where its file system says ro: the kernel has taken the right to write
 * away. What an administrator mounts read-only has ro in both places, or in the first only.
 */
#include "extensions/health/read-only.h"

#include <string.h>

/* ID PARENT MAJOR:MINOR ROOT DIRECTORY OPTIONS [FIELD...] - TYPE SOURCE SUPER-OPTIONS */
enum { MAJOR_MINOR = 2, DIRECTORY = 4, OPTIONS = 5 };

static gboolean
has_option(const char *options, const char *option)
{
    g_auto(GStrv) list = g_strsplit(options, ",", -1);

    return g_strv_contains((const char *const *)list, option);
}

/* NULL: not such a line. */
static const char *
super_options(char *const *fields)
{
    guint i = 0;

    while (fields[i] && strcmp(fields[i], "-") != 0)
        i++;
    return fields[i] && fields[i + 1] && fields[i + 2] ? fields[i + 3] : NULL;
}

static void
look_at(const char *line, guint maximum, GPtrArray *found, gboolean *ret_root)
{
    g_auto(GStrv) fields = g_strsplit(line, " ", -1);
    const char *super = g_strv_length(fields) > OPTIONS ? super_options(fields) : NULL;

    if (!super)
        return;
    gboolean is_ro = has_option(super, "ro");
    if (strcmp(fields[DIRECTORY], "/") == 0)
        *ret_root = is_ro || has_option(fields[OPTIONS], "ro");
    /* what has no device cannot have failed */
    if (is_ro && has_option(fields[OPTIONS], "rw") &&
        !g_str_has_prefix(fields[MAJOR_MINOR], "0:") && found->len < maximum)
        g_ptr_array_add(found, g_strcompress(fields[DIRECTORY]));
}

GPtrArray *
read_only_find(const char *mountinfo, guint maximum, gboolean *ret_root)
{
    g_auto(GStrv) lines = g_strsplit(mountinfo, "\n", -1);
    GPtrArray *found = g_ptr_array_new();

    *ret_root = FALSE;
    for (gsize i = 0; lines[i]; i++)
        look_at(lines[i], maximum, found, ret_root);
    return found;
}
