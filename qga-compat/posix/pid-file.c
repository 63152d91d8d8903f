/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file with the process id. Its lock, not its existence, says that an agent
 * runs. A client may read the file with guest-file-read, and closing it would
 * give up a lock of the process; so it is one of the open file description,
 * where the system has such. Both kinds exclude each other.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/service.h"
#include "runtime/qapi-error.h"

#ifdef F_OFD_SETLK
#define SET_LOCK F_OFD_SETLK
#else
#define SET_LOCK F_SETLK
#endif

struct OsPidFile {
    char *path;
    gint fd;
};

static gboolean
lock(gint fd, GError **error)
{
    struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

    if (fcntl(fd, SET_LOCK, &whole) == 0)
        return TRUE;
    qapi_set_errno(error, errno, "Cannot lock pid file");
    return FALSE;
}

static gboolean
write_pid(gint fd, const char *path, GError **error)
{
    if (ftruncate(fd, 0) == 0 && dprintf(fd, "%ld\n", (long)getpid()) > 0)
        return TRUE;
    qapi_set_errno(error, errno, "Failed to write pid file '%s'", path);
    return FALSE;
}

/* Whether the file is the one that stands at the path: its owner may have removed it while we
 * opened and locked it. */
static gboolean
stands_at(gint fd, const char *path)
{
    struct stat ours, standing;

    return fstat(fd, &ours) == 0 && stat(path, &standing) == 0 && ours.st_dev == standing.st_dev &&
           ours.st_ino == standing.st_ino;
}

/* Locked; -1 on error. */
static gint
open_locked(const char *path, GError **error)
{
    for (;;) {
        gint fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

        if (fd < 0) {
            qapi_set_errno(error, errno, "Could not create '%s'", path);
            return -1;
        }
        gboolean is_locked = lock(fd, error);
        if (is_locked && stands_at(fd, path))
            return fd;
        close(fd);
        if (!is_locked)
            return -1;
    }
}

OsPidFile *
os_pid_file_open(const char *path, GError **error)
{
    gint fd = open_locked(path, error);

    if (fd < 0)
        return NULL;
    if (!write_pid(fd, path, error)) {
        close(fd);
        return NULL;
    }

    OsPidFile *file = g_new0(OsPidFile, 1);
    file->path = g_strdup(path);
    file->fd = fd;
    return file;
}

void
os_pid_file_close(OsPidFile *file)
{
    if (file && stands_at(file->fd, file->path))
        unlink(file->path);
    os_pid_file_leave(file);
}

void
os_pid_file_leave(OsPidFile *file)
{
    if (!file)
        return;
    close(file->fd);
    g_free(file->path);
    g_free(file);
}
