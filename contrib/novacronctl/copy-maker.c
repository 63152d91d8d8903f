/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Both directions differ in how a thing is made; the order and the count are the same. */
#include "novacronctl/copy-maker.h"

#include <string.h>

#include "novacronctl/output.h"

#define NAME_SHOWN 200

static gboolean
make(const CopyMaker *maker, gpointer to, Transfer *transfer, const TreeEntry *entry,
     CopyTreeCounts *counts, GError **error)
{
    gint64 size;

    switch (entry->type) {
    case NOVACRON_FILE_TYPE_DIRECTORY:
        counts->folders++;
        /* Until all is in it; the rest of the permissions is made true at the end. */
        return !*entry->path || maker->folder(to, entry, entry->mode | COPY_OWNER_RIGHTS, error);
    case NOVACRON_FILE_TYPE_SYMLINK:
        counts->links++;
        return maker->link(to, entry, error);
    case NOVACRON_FILE_TYPE_REGULAR:
        size = maker->file(to, transfer, entry, error);
        transfer->before += entry->size;
        counts->files += size >= 0;
        counts->bytes += (guint64)MAX(size, 0);
        return size >= 0;
    default:
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                    "only files, folders and symbolic links are copied");
        return FALSE;
    }
}

/* FALSE: nothing else can be copied, either. */
static gboolean
bear(GError *problem, const TreeEntry *entry, CopyTreeCounts *counts, GError **error)
{
    if (transfer_is_over(problem)) {
        g_propagate_error(error, problem);
        return FALSE;
    }
    output_note("'%s' is left out: %s", entry->path, problem->message);
    g_error_free(problem);
    counts->failures++;
    return TRUE;
}

gboolean
copy_make_all(const CopyMaker *maker, gpointer to, Transfer *transfer, const Tree *tree,
              CopyTreeCounts *counts, GError **error)
{
    counts->failures += tree->failures;
    for (guint i = 0; i < tree->entries->len; i++) {
        const TreeEntry *entry = tree->entries->pdata[i];
        GError *local = NULL;
        if (!transfer_goes_on(transfer, error))
            return FALSE;
        if (!make(maker, to, transfer, entry, counts, &local) && !bear(local, entry, counts, error))
            return FALSE;
        transfer_show(transfer, 0);
    }
    for (guint i = tree->entries->len; i > 0; i--) {
        const TreeEntry *entry = tree->entries->pdata[i - 1];
        GError *local = NULL;
        if (entry->type == NOVACRON_FILE_TYPE_DIRECTORY &&
            (entry->mode & COPY_OWNER_RIGHTS) != COPY_OWNER_RIGHTS &&
            !maker->mode(to, entry, &local) && !bear(local, entry, counts, error))
            return FALSE;
    }
    return TRUE;
}

char *
copy_name_of(const char *source, GError **error)
{
    g_autofree char *name = g_path_get_basename(source);

    if (!strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
        return g_steal_pointer(&name);
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                "'%s' has no name of its own; give one that does not exist yet as TARGET", source);
    return NULL;
}

char *
copy_hide(const char *path, const char *source)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *name = g_path_get_basename(path);
    g_autofree char *rest = transfer_name_rest(source, path);

    return g_strdup_printf("%s/.%.*s.%s", folder, NAME_SHOWN, name, rest);
}

char *
copy_without_slashes(const char *path)
{
    gsize length = strlen(path);

    while (length > 1 && path[length - 1] == '/')
        length--;
    return g_strndup(path, length);
}
