/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A mount says rw where its file system says ro: the kernel has taken the right to write
 * away. What an administrator mounts read-only has ro in both places, or in the first only. An
 * ext4 keeps its rw after an error since Linux 6.12, and has a word for it since 6.15.
 */
#include "extensions/health/read-only.h"

#include <string.h>

/* ID PARENT MAJOR:MINOR ROOT DIRECTORY OPTIONS [FIELD...] - TYPE SOURCE SUPER-OPTIONS */
enum { MAJOR_MINOR = 2, DIRECTORY = 4, OPTIONS = 5 };
enum { SOURCE = 1, SUPER_OPTIONS = 2 }; /* from TYPE on */

static gboolean
has_option(const char *options, const char *option)
{
    g_auto(GStrv) list = g_strsplit(options, ",", -1);

    return g_strv_contains((const char *const *)list, option);
}

static gboolean
refuses_writes(const char *super_options)
{
    static const char *const words[] = { "ro", "emergency_ro", "shutdown" };

    for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
        if (has_option(super_options, words[i]))
            return TRUE;
    return FALSE;
}

/* TYPE SOURCE SUPER-OPTIONS; NULL: not such a line. */
static char *const *
file_system(char *const *fields)
{
    while (*fields && strcmp(*fields, "-") != 0)
        fields++;
    return fields[0] && fields[1] && fields[2] && fields[3] ? fields + 1 : NULL;
}

/* Those of several devices (btrfs) have a number that stands for none. */
static gboolean
has_device(const char *number, const char *source)
{
    return !g_str_has_prefix(number, "0:") || g_str_has_prefix(source, "/dev/");
}

static void
look_at(const char *line, guint maximum, GPtrArray *found, gboolean *ret_root)
{
    g_auto(GStrv) fields = g_strsplit(line, " ", -1);
    char *const *system = g_strv_length(fields) > OPTIONS ? file_system(fields + OPTIONS) : NULL;

    if (!system)
        return;
    gboolean is_ro = refuses_writes(system[SUPER_OPTIONS]);
    if (strcmp(fields[DIRECTORY], "/") == 0)
        *ret_root = is_ro || has_option(fields[OPTIONS], "ro");
    /* what has no device cannot have failed */
    if (is_ro && has_option(fields[OPTIONS], "rw") &&
        has_device(fields[MAJOR_MINOR], system[SOURCE]) && found->len < maximum)
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
