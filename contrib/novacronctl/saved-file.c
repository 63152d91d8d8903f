/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Only regular files are replaced where the user named the target: a rename
 * onto /dev/null would be obeyed.
 */
#include "novacronctl/saved-file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEW_FILE_MODE 0666
#define PERMISSIONS 07777

/* Of the name, in a temporary file's; names have up to 255. */
#define NAME_SHOWN 200

struct SavedFile {
    int folder;
    char *name;
    char *temporary; /* in the same folder; NULL once it has its final name */
    int fd;
    guint64 size;
    gboolean stays; /* the temporary file, for who goes on with it */
    gboolean syncs;
};

static gboolean
fail_errno(GError **error, const char *what, const char *path)
{
    int number = errno;

    g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(number), "cannot %s '%s': %s",
                what, path, g_strerror(number));
    return FALSE;
}

/* What is there of it already is gone on with. Others may not have made it: then it is no file of
 * ours, and perhaps a link. */
static gboolean
open_temporary(SavedFile *file, const char *rest, guint64 size_max, GError **error)
{
    struct stat status;

    file->temporary = g_strdup_printf(".%.*s.%s", NAME_SHOWN, file->name, rest);
    file->fd = openat(file->folder, file->temporary,
                      O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK |
                          (file->stays ? 0 : O_EXCL),
                      NEW_FILE_MODE);
    if (file->fd < 0 || fstat(file->fd, &status) < 0 || !S_ISREG(status.st_mode) ||
        status.st_uid != geteuid()) {
        g_clear_pointer(&file->temporary, g_free);
        return fail_errno(error, "create a file beside", file->name);
    }
    file->size = (guint64)status.st_size <= size_max ? (guint64)status.st_size : 0;
    if (ftruncate(file->fd, (off_t)file->size) < 0 ||
        lseek(file->fd, (off_t)file->size, SEEK_SET) < 0)
        return fail_errno(error, "write", file->temporary);
    return TRUE;
}

static SavedFile *
file_new(int folder, const char *name)
{
    SavedFile *file = g_new0(SavedFile, 1);

    file->folder = folder;
    file->name = g_strdup(name);
    file->fd = -1;
    file->syncs = TRUE;
    return file;
}

/* What a symbolic link leads to is replaced, not the link. */
static SavedFile *
find_place(const char *path, GError **error)
{
    g_autofree char *real = realpath(path, NULL);
    g_autofree char *folder = g_path_get_dirname(real ? real : path);
    g_autofree char *name = g_path_get_basename(real ? real : path);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0)
        return file_new(fd, name);
    fail_errno(error, "create a file in", folder);
    return NULL;
}

static SavedFile *
new_file(const char *path, const char *rest, guint64 size_max, GError **error)
{
    g_autoptr(SavedFile) file = find_place(path, error);
    g_autofree char *unique = g_strdup_printf("%08x", g_random_int());
    struct stat status;

    if (!file)
        return NULL;
    file->stays = rest != NULL;
    gboolean exists = fstatat(file->folder, file->name, &status, 0) == 0;
    if (exists && !S_ISREG(status.st_mode)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "'%s' is not a regular file", path);
        return NULL;
    }
    if (!open_temporary(file, rest ? rest : unique, size_max, error))
        return NULL;
    if (exists && fchmod(file->fd, status.st_mode & PERMISSIONS) < 0) {
        fail_errno(error, "set the mode of", file->temporary);
        return NULL;
    }
    return g_steal_pointer(&file);
}

SavedFile *
saved_file_new(const char *path, GError **error)
{
    return new_file(path, NULL, 0, error);
}

SavedFile *
saved_file_new_resumed(const char *path, const char *rest, guint64 size_max, GError **error)
{
    return new_file(path, rest, size_max, error);
}

SavedFile *
saved_file_new_in(int folder, const char *name, const char *rest, guint64 size_max, guint mode,
                  GError **error)
{
    int own_folder = fcntl(folder, F_DUPFD_CLOEXEC, 0);

    if (own_folder < 0) {
        fail_errno(error, "create", name);
        return NULL;
    }
    g_autoptr(SavedFile) file = file_new(own_folder, name);
    file->stays = TRUE;
    file->syncs = FALSE;
    if (!open_temporary(file, rest, size_max, error))
        return NULL;
    if (fchmod(file->fd, mode) < 0) {
        fail_errno(error, "set the mode of", file->temporary);
        return NULL;
    }
    return g_steal_pointer(&file);
}

guint64
saved_file_size(const SavedFile *file)
{
    return file->size;
}

int
saved_file_fd(const SavedFile *file)
{
    return file->fd;
}

void
saved_file_discard(SavedFile *file)
{
    file->stays = FALSE;
}

gboolean
saved_file_write(SavedFile *file, const void *data, gsize size, GError **error)
{
    const char *bytes = data;

    while (size > 0) {
        gssize written = write(file->fd, bytes, size);
        if (written < 0 && errno != EINTR)
            return fail_errno(error, "write", file->temporary);
        bytes += MAX(written, 0);
        file->size += (guint64)MAX(written, 0);
        size -= (gsize)MAX(written, 0);
    }
    return TRUE;
}

gboolean
saved_file_commit(SavedFile *file, GError **error)
{
    if (file->syncs && fsync(file->fd) < 0)
        return fail_errno(error, "write", file->temporary);
    file->stays = FALSE; /* where it cannot be put now, nobody can */
    if (renameat(file->folder, file->temporary, file->folder, file->name) < 0)
        return fail_errno(error, "replace", file->name);
    g_clear_pointer(&file->temporary, g_free);
    return TRUE;
}

void
saved_file_free(SavedFile *file)
{
    if (!file)
        return;
    if (file->fd >= 0)
        close(file->fd);
    if (file->temporary && !file->stays)
        unlinkat(file->folder, file->temporary, 0);
    close(file->folder);
    g_free(file->temporary);
    g_free(file->name);
    g_free(file);
}
