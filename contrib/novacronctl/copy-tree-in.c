/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Into the guest, in which others may be at work at the same time. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "novacronctl/copy-maker.h"
#include "novacronctl/copy-ranges.h"

typedef struct {
    QgaClient *client;
    const char *source;
    char *top;                    /* in the guest */
    NovacronFileResolve *resolve; /* keeps paths below it; NULL: its kernel cannot */
    gboolean is_hidden;           /* the top, until all is there */
} In;

/* The path of what is below the top, as it is asked for together with `resolve`. */
static char *
path_in(const In *in, const char *path)
{
    return g_strconcat(in->resolve ? "" : in->top, "/", path, NULL);
}

static gboolean
make_folder(QgaClient *client, const char *path, NovacronFileResolve *resolve, guint mode,
            GError **error)
{
    g_autofree char *own_path = g_strdup(path);
    g_autofree char *digits = g_strdup_printf("%04o", mode);
    const NovacronFileMkdirArgs args = {
        .path = own_path,
        .resolve = resolve,
        .mode = digits,
        .has_exist_ok = TRUE,
        .exist_ok = TRUE,
    };

    return qga_novacron_file_mkdir(client, &args, error);
}

static gboolean
in_folder(gpointer to, const TreeEntry *entry, guint mode, GError **error)
{
    const In *in = to;
    g_autofree char *path = path_in(in, entry->path);

    return make_folder(in->client, path, in->resolve, mode, error);
}

/* One that is not there is removed: perhaps by a request whose answer was lost. */
static gboolean
remove_file(QgaClient *client, const NovacronFileRemoveArgs *args, GError **error)
{
    g_autoptr(GError) local = NULL;

    if (qga_novacron_file_remove(client, args, &local) || transfer_is(local, "not-found"))
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
}

/* What has the name of a link that is to be made: the same link, or something to be replaced. */
static gboolean
clear_way(const In *in, char *path, const char *target, gboolean *ret_is_done, GError **error)
{
    const NovacronFileStatArgs args = { .path = path, .resolve = in->resolve, .has_follow = TRUE };
    const NovacronFileRemoveArgs victim = { .path = path, .resolve = in->resolve };
    g_autoptr(NovacronFileStatus) seen = NULL;

    if (!qga_novacron_file_stat(in->client, &args, &seen, error))
        return FALSE;
    *ret_is_done = g_strcmp0(seen->target, target) == 0;
    if (seen->type != NOVACRON_FILE_TYPE_DIRECTORY)
        return *ret_is_done || remove_file(in->client, &victim, error);
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_ISDIR, "a folder has this name");
    return FALSE;
}

static gboolean
in_link(gpointer to, const TreeEntry *entry, GError **error)
{
    const In *in = to;
    g_autofree char *path = path_in(in, entry->path);
    const NovacronFileLinkArgs args = {
        .path = path,
        .resolve = in->resolve,
        .target = entry->target,
        .has_symbolic = TRUE,
        .symbolic = TRUE,
    };
    g_autoptr(GError) local = NULL;
    gboolean is_done = FALSE;

    if (!entry->target || !g_utf8_validate(entry->target, -1, NULL)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                    "what it leads to is not UTF-8, which is all that can be sent");
        return FALSE;
    }
    if (qga_novacron_file_link(in->client, &args, &local))
        return TRUE;
    if (!transfer_is(local, "exists")) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    return clear_way(in, path, entry->target, &is_done, error) &&
           (is_done || qga_novacron_file_link(in->client, &args, error));
}

static gint64
in_file(gpointer to, Transfer *transfer, const TreeEntry *entry, GError **error)
{
    const In *in = to;
    g_autofree char *source = g_build_filename(in->source, entry->path, NULL);
    g_autofree char *path = path_in(in, entry->path);
    int fd = open(source, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0) {
        transfer_fail_errno(error, "read", source);
        return -1;
    }
    gint64 size = copy_ranges_in_below(transfer, fd, source, in->resolve, path, entry->mode,
                                       in->is_hidden, error);
    close(fd);
    return size;
}

static gboolean
in_mode(gpointer to, const TreeEntry *entry, GError **error)
{
    const In *in = to;
    g_autofree char *path = *entry->path ? path_in(in, entry->path) : g_strdup(in->top);
    g_autofree char *mode = g_strdup_printf("%04o", entry->mode);
    const NovacronFileModeArgs args = {
        .path = path,
        .resolve = *entry->path ? in->resolve : NULL,
        .mode = mode,
    };

    return qga_novacron_file_mode(in->client, &args, error);
}

static const CopyMaker maker_in = { in_folder, in_link, in_file, in_mode };

/* What is there of that path; FALSE: nothing, or with an error, it cannot be known. */
static gboolean
look(QgaClient *client, const char *path, gboolean follow, NovacronFileType *ret_type,
     GError **error)
{
    g_autofree char *own_path = g_strdup(path);
    const NovacronFileStatArgs args = { .path = own_path, .has_follow = TRUE, .follow = follow };
    g_autoptr(NovacronFileStatus) seen = NULL;
    g_autoptr(GError) local = NULL;

    if (qga_novacron_file_stat(client, &args, &seen, &local)) {
        *ret_type = seen->type;
        return TRUE;
    }
    if (!transfer_is(local, "not-found"))
        g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
}

/* "." and ".." have the name of the folder that they are. */
static char *
name_here(const char *source, const char *real, GError **error)
{
    g_autofree char *name = g_path_get_basename(source);

    return copy_name_of(strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ? real : source, error);
}

/* Where it goes; `*ret_exists`: it is a folder already. */
static char *
find_target_in_guest(QgaClient *client, const char *name, const char *target, gboolean *ret_exists,
                     GError **error)
{
    g_autofree char *place = copy_without_slashes(target);
    g_autoptr(GError) local = NULL;
    NovacronFileType type;

    if (look(client, place, TRUE, &type, &local) && type == NOVACRON_FILE_TYPE_DIRECTORY) {
        g_autofree char *folder = g_steal_pointer(&place);
        place = g_build_filename(folder, name, NULL);
    }
    *ret_exists = !local && look(client, place, FALSE, &type, &local);
    if (!local && (!*ret_exists || type == NOVACRON_FILE_TYPE_DIRECTORY))
        return g_steal_pointer(&place);
    if (local)
        g_propagate_error(error, g_steal_pointer(&local));
    else
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOTDIR,
                    "the guest's '%s' is there, and is no folder", place);
    return NULL;
}

static gboolean
put_in_place(QgaClient *client, char *work, char *place, GError **error)
{
    const NovacronFileRenameArgs args = { .path = work, .to = place };
    g_autoptr(GError) local = NULL;
    NovacronFileType type;

    if (qga_novacron_file_rename(client, &args, &local))
        return TRUE;
    /* Perhaps it has its name from a request whose answer was lost. */
    if (transfer_is(local, "not-found") && look(client, place, FALSE, &type, NULL) &&
        type == NOVACRON_FILE_TYPE_DIRECTORY)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
}

/* Whether the guest's kernel can keep paths below a folder. */
static gboolean
can_resolve(QgaClient *client, NovacronFileResolve *resolve)
{
    char top[] = "/";
    const NovacronFileStatArgs args = { .path = top, .resolve = resolve };
    g_autoptr(NovacronFileStatus) seen = NULL;
    g_autoptr(GError) error = NULL;

    return qga_novacron_file_stat(client, &args, &seen, &error) ||
           !transfer_is(error, "unsupported");
}

gboolean
copy_tree_in(QgaClient *client, const char *source, const char *target, CopyTreeCounts *counts,
             GError **error)
{
    gboolean exists;
    g_autofree char *real = realpath(source, NULL);
    g_autofree char *name = name_here(source, real ? real : source, error);
    g_autofree char *place = name ? find_target_in_guest(client, name, target, &exists, error)
                                  : NULL;
    g_autofree char *work = place && !exists ? copy_hide(place, real ? real : source)
                                             : g_strdup(place);
    g_autoptr(Tree) tree = place ? tree_of_here(source, error) : NULL;

    if (!tree)
        return FALSE;
    const TreeEntry *top = tree->entries->pdata[0];
    if (!make_folder(client, work, NULL, top->mode | COPY_OWNER_RIGHTS, error))
        return FALSE;
    NovacronFileResolve resolve = {
        .root = work,
        .has_no_symlinks = TRUE,
        .no_symlinks = TRUE,
    };
    In in = {
        .client = client,
        .source = source,
        .top = work,
        .resolve = can_resolve(client, &resolve) ? &resolve : NULL,
        .is_hidden = !exists,
    };
    g_auto(Transfer) transfer = { 0 };
    transfer_start(&transfer, client, tree->bytes);
    transfer.is_part = TRUE;
    return copy_make_all(&maker_in, &in, &transfer, tree, counts, error) &&
           (exists || put_in_place(client, work, place, error));
}
