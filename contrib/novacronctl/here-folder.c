/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every folder is opened by its name in the one above it, which is open, too.
 * What is opened so is kept until another is wanted: files come folder by folder.
 */
#include "novacronctl/here-folder.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "novacronctl/transfer.h"

#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

struct HereFolder {
    int top;
    int parent; /* -1: none yet */
    char *parent_path;
};

HereFolder *
here_folder_open(const char *path, guint mode, gboolean must_be_ours, GError **error)
{
    g_autoptr(HereFolder) folder = g_new0(HereFolder, 1);
    struct stat status;

    folder->parent = -1;
    folder->top = -1;
    if (mkdir(path, mode) < 0 && errno != EEXIST) {
        transfer_fail_errno(error, "create the folder", path);
        return NULL;
    }
    folder->top = open(path, FOLDER_FLAGS);
    if (folder->top >= 0 && fstat(folder->top, &status) == 0 &&
        (!must_be_ours || status.st_uid == geteuid()))
        return g_steal_pointer(&folder);
    errno = folder->top < 0 ? errno : EPERM;
    transfer_fail_errno(error, "write to the folder", path);
    return NULL;
}

void
here_folder_free(HereFolder *folder)
{
    if (!folder)
        return;
    if (folder->top >= 0)
        close(folder->top);
    if (folder->parent >= 0)
        close(folder->parent);
    g_free(folder->parent_path);
    g_free(folder);
}

/* A descriptor of the folder `path`, or -1. */
static int
open_below(const HereFolder *folder, const char *path, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    int fd = fcntl(folder->top, F_DUPFD_CLOEXEC, 0);

    for (guint i = 0; fd >= 0 && parts[i]; i++) {
        int next = openat(fd, parts[i], FOLDER_FLAGS);
        int number = errno;
        close(fd);
        errno = number;
        fd = next;
    }
    if (fd < 0)
        transfer_fail_errno(error, "write to the folder", path);
    return fd;
}

int
here_folder_parent(HereFolder *folder, const char *path, const char **ret_name, GError **error)
{
    const char *slash = strrchr(path, '/');
    g_autofree char *parent = slash ? g_strndup(path, (gsize)(slash - path)) : NULL;

    *ret_name = slash ? slash + 1 : path;
    if (!parent)
        return folder->top;
    if (folder->parent >= 0 && g_str_equal(folder->parent_path, parent))
        return folder->parent;

    int fd = open_below(folder, parent, error);
    if (fd < 0)
        return -1;
    if (folder->parent >= 0)
        close(folder->parent);
    folder->parent = fd;
    g_free(folder->parent_path);
    folder->parent_path = g_steal_pointer(&parent);
    return fd;
}

gboolean
here_folder_mkdir(HereFolder *folder, const char *path, guint mode, GError **error)
{
    const char *name;
    int parent = here_folder_parent(folder, path, &name, error);

    if (parent < 0)
        return FALSE;
    return mkdirat(parent, name, mode) == 0 || errno == EEXIST ||
           transfer_fail_errno(error, "create the folder", path);
}

gboolean
here_folder_symlink(HereFolder *folder, const char *path, const char *target, GError **error)
{
    const char *name;
    int parent = here_folder_parent(folder, path, &name, error);

    if (parent < 0)
        return FALSE;
    if (symlinkat(target, parent, name) == 0 ||
        (errno == EEXIST && unlinkat(parent, name, 0) == 0 && symlinkat(target, parent, name) == 0))
        return TRUE;
    return transfer_fail_errno(error, "create the link", path);
}

gboolean
here_folder_mode(HereFolder *folder, const char *path, guint mode, GError **error)
{
    int fd = *path ? open_below(folder, path, error) : fcntl(folder->top, F_DUPFD_CLOEXEC, 0);

    if (fd < 0)
        return FALSE;
    gboolean is_set = fchmod(fd, mode) == 0 || transfer_fail_errno(error, "set the mode of", path);
    close(fd);
    return is_set;
}

gboolean
here_folder_sync(HereFolder *folder, GError **error)
{
    return syncfs(folder->top) == 0 || transfer_fail_errno(error, "write", "the files");
}
