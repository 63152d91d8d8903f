/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Out of the guest, which is believed in nothing. */
#include <stdio.h>
#include <sys/stat.h>

#include "novacronctl/copy-maker.h"
#include "novacronctl/copy-ranges.h"
#include "novacronctl/here-folder.h"

typedef struct {
    const char *source;
    HereFolder *folder;
    mode_t umask;
} Out;

static gboolean
out_folder(gpointer to, const TreeEntry *entry, guint mode, GError **error)
{
    const Out *out = to;

    return here_folder_mkdir(out->folder, entry->path, mode, error);
}

static gboolean
out_link(gpointer to, const TreeEntry *entry, GError **error)
{
    const Out *out = to;

    return here_folder_symlink(out->folder, entry->path, entry->target ? entry->target : "", error);
}

static gint64
out_file(gpointer to, Transfer *transfer, const TreeEntry *entry, GError **error)
{
    const Out *out = to;
    g_autofree char *source = g_build_filename(out->source, entry->path, NULL);
    const char *name;
    int parent = here_folder_parent(out->folder, entry->path, &name, error);

    return parent < 0 ? -1
                      : copy_ranges_out_in(transfer, source, parent, name,
                                           entry->mode & ~out->umask, error);
}

static gboolean
out_mode(gpointer to, const TreeEntry *entry, GError **error)
{
    const Out *out = to;

    return here_folder_mode(out->folder, entry->path, entry->mode & ~out->umask, error);
}

static const CopyMaker maker_out = { out_folder, out_link, out_file, out_mode };

/* Where it goes; `*ret_exists`: it is a folder already. A link there may be the guest's work of
 * an earlier copy, and is not followed. */
static char *
find_target_here(const char *source, const char *target, gboolean *ret_exists, GError **error)
{
    g_autofree char *place = copy_without_slashes(target);
    struct stat status;

    if (g_file_test(place, G_FILE_TEST_IS_DIR)) {
        g_autofree char *folder = g_steal_pointer(&place);
        g_autofree char *name = copy_name_of(source, error);
        if (!name)
            return NULL;
        place = g_build_filename(folder, name, NULL);
    }
    *ret_exists = lstat(place, &status) == 0;
    if (!*ret_exists || S_ISDIR(status.st_mode))
        return g_steal_pointer(&place);
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOTDIR, "'%s' is there, and is no folder", place);
    return NULL;
}

static gboolean
fill_here(Out *out, Transfer *transfer, const Tree *tree, CopyTreeCounts *counts, GError **error)
{
    return copy_make_all(&maker_out, out, transfer, tree, counts, error) &&
           here_folder_sync(out->folder, error);
}

gboolean
copy_tree_out(QgaClient *client, const char *source, const char *target, CopyTreeCounts *counts,
              GError **error)
{
    gboolean exists;
    g_autofree char *place = find_target_here(source, target, &exists, error);
    g_autofree char *work = place && !exists ? copy_hide(place, source) : g_strdup(place);
    g_autoptr(Tree) tree = place ? tree_of_guest(client, source, error) : NULL;

    if (!tree)
        return FALSE;
    const TreeEntry *top = tree->entries->pdata[0];
    g_autoptr(HereFolder)
        folder = here_folder_open(work, top->mode | COPY_OWNER_RIGHTS, !exists, error);
    if (!folder)
        return FALSE;
    Out out = { .source = source, .folder = folder, .umask = umask(0) };
    umask(out.umask);

    g_auto(Transfer) transfer = { 0 };
    transfer_start(&transfer, client, tree->bytes);
    transfer.is_part = TRUE;
    return fill_here(&out, &transfer, tree, counts, error) &&
           (exists || rename(work, place) == 0 || transfer_fail_errno(error, "create", place));
}
