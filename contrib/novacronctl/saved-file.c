/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Only regular files are replaced: a rename onto /dev/null would be obeyed.
 */
#include "novacronctl/saved-file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEW_FILE_MODE 0666
#define PERMISSIONS 07777

struct SavedFile {
    char *target;
    char *temporary; /* NULL once it has its final name */
    int fd;
    guint64 size;
    gboolean stays; /* the temporary file, for who goes on with it */
};

static gboolean
fail_errno(GError **error, const char *what, const char *path)
{
    int number = errno;

    g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(number), "cannot %s '%s': %s",
                what, path, g_strerror(number));
    return FALSE;
}

/* What a symbolic link leads to is replaced, not the link. */
static char *
resolve(const char *path)
{
    char *real = realpath(path, NULL);
    char *resolved = g_strdup(real ? real : path);

    free(real);
    return resolved;
}

static gboolean
create_temporary(SavedFile *file, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(file->target);
    g_autofree char *name = g_path_get_basename(file->target);

    file->temporary = g_strdup_printf("%s/.%s.XXXXXX", folder, name);
    file->fd = g_mkstemp_full(file->temporary, O_WRONLY | O_CLOEXEC, NEW_FILE_MODE);
    if (file->fd >= 0)
        return TRUE;
    g_clear_pointer(&file->temporary, g_free);
    return fail_errno(error, "create a file beside", file->target);
}

/* What is there of it already is gone on with. Others may not have made it: then it is no file of
 * ours, and perhaps a link. */
static gboolean
open_rest(SavedFile *file, const char *name, guint64 size_max, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(file->target);
    g_autofree char *target = g_path_get_basename(file->target);
    struct stat status;

    file->temporary = g_strdup_printf("%s/.%s.%s", folder, target, name);
    file->fd = open(file->temporary, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK,
                    NEW_FILE_MODE);
    if (file->fd < 0 || fstat(file->fd, &status) < 0 || !S_ISREG(status.st_mode) ||
        status.st_uid != geteuid()) {
        g_clear_pointer(&file->temporary, g_free);
        return fail_errno(error, "create a file beside", file->target);
    }
    file->size = (guint64)status.st_size <= size_max ? (guint64)status.st_size : 0;
    file->stays = TRUE;
    if (ftruncate(file->fd, (off_t)file->size) < 0 ||
        lseek(file->fd, (off_t)file->size, SEEK_SET) < 0)
        return fail_errno(error, "write", file->temporary);
    return TRUE;
}

static SavedFile *
new_file(const char *path, const char *rest, guint64 size_max, GError **error)
{
    g_autoptr(SavedFile) file = g_new0(SavedFile, 1);
    struct stat status;

    file->fd = -1;
    file->target = resolve(path);
    gboolean exists = stat(file->target, &status) == 0;
    if (exists && !S_ISREG(status.st_mode)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "'%s' is not a regular file", path);
        return NULL;
    }
    if (!(rest ? open_rest(file, rest, size_max, error) : create_temporary(file, error)))
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
    if (fsync(file->fd) < 0)
        return fail_errno(error, "write", file->temporary);
    if (g_rename(file->temporary, file->target) < 0)
        return fail_errno(error, "replace", file->target);
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
        g_unlink(file->temporary);
    g_free(file->temporary);
    g_free(file->target);
    g_free(file);
}
