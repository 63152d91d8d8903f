/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Durable files: a temporary file is synced and renamed, then the folder is synced. */
#include "platform/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

static gboolean
write_all(gint fd, const char *text, gsize size)
{
    while (size > 0) {
        gssize written = write(fd, text, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return FALSE;
        text += written;
        size -= (gsize)written;
    }
    return fsync(fd) == 0;
}

/* FALSE and errno. */
static gboolean
write_file(const char *path, const char *text, gsize size)
{
    gint fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return FALSE;

    gboolean is_written = write_all(fd, text, size);
    gint number = errno;
    close(fd);
    errno = number;
    return is_written;
}

static gboolean
sync_folder(const char *folder)
{
    gint fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return FALSE;

    gboolean is_synced = fsync(fd) == 0;
    close(fd);
    return is_synced;
}

gboolean
os_durable_write(const char *path, const char *text, gsize size)
{
    g_autofree char *temporary = g_strconcat(path, ".new", NULL);
    g_autofree char *folder = g_path_get_dirname(path);

    if (write_file(temporary, text, size) && g_rename(temporary, path) == 0 && sync_folder(folder))
        return TRUE;

    gint number = errno;
    g_unlink(temporary);
    errno = number;
    return FALSE;
}
