/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of command names. They are as short as what an administrator writes. */
#include "core/names.h"

#include <string.h>

static void
insert(char ***names, gsize position, const char *name)
{
    gsize length = g_strv_length(*names);

    *names = g_renew(char *, *names, length + 2);
    memmove(*names + position + 1, *names + position, (length - position + 1) * sizeof **names);
    (*names)[position] = g_strdup(name);
}

void
ga_names_append(char ***names, const char *text)
{
    g_auto(GStrv) words = g_strsplit(text, ",", -1);
    gsize position = g_strv_length(*names);

    for (char **word = words; *word; word++)
        insert(names, position, *word);
}

void
ga_names_insert_missing(char ***names, gsize position, const char *text)
{
    g_auto(GStrv) words = g_strsplit(text, ",", -1);

    for (char **word = words; *word; word++) {
        const char *name = g_strstrip(*word);
        if (*name != '\0' && !g_strv_contains((const char *const *)*names, name))
            insert(names, position, name);
    }
}
