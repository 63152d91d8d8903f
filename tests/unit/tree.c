/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tree.h"

#include <check.h>
#include <glib/gstdio.h>
#include <string.h>

static void
make_entry(const char *folder, const char *entry)
{
    const char *text = strchr(entry, '=');
    g_autofree char *name = text ? g_strndup(entry, (gsize)(text - entry)) : g_strdup(entry);
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *parent = g_path_get_dirname(path);

    ck_assert_int_eq(g_mkdir_with_parents(text ? parent : path, 0700), 0);
    ck_assert(!text || g_file_set_contents(path, text + 1, -1, NULL));
}

char *
tree_new(const char *const *entries)
{
    char *folder = g_dir_make_tmp("tree-XXXXXX", NULL);

    ck_assert_ptr_nonnull(folder);
    for (; *entries; entries++)
        make_entry(folder, *entries);
    return folder;
}

static void
remove_tree(const char *path)
{
    g_autoptr(GDir) entries = g_dir_open(path, 0, NULL);
    const char *name;

    while (entries && (name = g_dir_read_name(entries))) {
        g_autofree char *below = g_build_filename(path, name, NULL);
        remove_tree(below);
    }
    g_remove(path);
}

void
tree_free(char *folder)
{
    remove_tree(folder);
    g_free(folder);
}

char *
tree_text(const char *folder, const char *path)
{
    g_autofree char *file = g_build_filename(folder, path, NULL);
    char *text = NULL;

    ck_assert(g_file_get_contents(file, &text, NULL, NULL));
    return text;
}
