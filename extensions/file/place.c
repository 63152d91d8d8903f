/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Places. First comes what does nothing, a descriptor that only stands for the file; what is
 * not a regular file is turned away then, and the rest is opened through that descriptor,
 * so that nobody can exchange it in between.
 */
#include "file/place.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/refusal.h"

/* A rename elsewhere can make the kernel give up a walk that it watches. */
#define TRIES_MAX 16

void
ga_fd_close(GaFd fd)
{
    gint number = errno;

    close(fd);
    errno = number;
}

static gboolean
check_path(const char *path, GError **error)
{
    if (path[0] == '/' && strlen(path) < PATH_MAX)
        return TRUE;
    if (path[0] == '/')
        ga_refuse(error, GA_REFUSAL_BAD_VALUE, "the path is too long");
    else
        ga_refuse(error, GA_REFUSAL_BAD_VALUE, "'%s' is not an absolute path", path);
    return FALSE;
}

static guint64
bits_of(const NovacronFileResolve *resolve)
{
    guint64 how = 0;

    if (resolve->root)
        how |= resolve->beneath ? RESOLVE_BENEATH : RESOLVE_IN_ROOT;
    how |= resolve->no_symlinks ? RESOLVE_NO_SYMLINKS : 0;
    how |= resolve->no_magic_links ? RESOLVE_NO_MAGICLINKS : 0;
    return how | (resolve->no_mounts ? RESOLVE_NO_XDEV : 0);
}

GaPlace *
ga_place_new(const char *path, const NovacronFileResolve *resolve, GError **error)
{
    if (!check_path(path, error) || (resolve && resolve->root && !check_path(resolve->root, error)))
        return NULL;
    if (resolve && resolve->beneath && !resolve->root) {
        ga_refuse(error, GA_REFUSAL_BAD_VALUE, "'beneath' needs a 'root'");
        return NULL;
    }

    GaPlace *place = g_new0(GaPlace, 1);
    gsize length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    place->path = g_strndup(path, length);
    if (resolve) {
        place->root = g_strdup(resolve->root);
        place->how = bits_of(resolve);
    }
    return place;
}

void
ga_place_free(GaPlace *place)
{
    if (!place)
        return;
    g_free(place->path);
    g_free(place->root);
    g_free(place);
}

static gint
open_watched(gint root, const char *path, gint flags, guint mode, guint64 how)
{
    struct open_how request = { .flags = (guint)flags, .mode = mode, .resolve = how };
    glong fd;
    guint tries = 0;

    /* What is taken from below a folder must not begin at the top. */
    if (how & RESOLVE_BENEATH)
        path += strspn(path, "/");
    do
        fd = syscall(SYS_openat2, root, path[0] ? path : ".", &request, sizeof request);
    while (fd < 0 && (errno == EINTR || errno == EAGAIN) && ++tries < TRIES_MAX);
    return (gint)fd;
}

/* -1 and errno. */
static GaFd
open_path(const GaPlace *place, const char *path, gint flags, guint mode)
{
    /* The kernel's watched walk takes no flag that means nothing. */
    flags |= O_CLOEXEC | (flags & O_PATH ? 0 : O_NOCTTY | O_NONBLOCK);
    if (!place->how)
        return open(path, flags, mode);

    g_auto(GaFd) root = open(place->root ? place->root : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return root < 0 ? -1 : open_watched(root, path, flags, mode, place->how);
}

static void
refuse(const GaPlace *place, gint number, GError **error)
{
    if (place->how && number == ENOSYS)
        ga_refuse(error, GA_REFUSAL_UNSUPPORTED, "this kernel cannot watch a path");
    else if (place->how && (number == EXDEV || number == ELOOP))
        ga_refuse(error, GA_REFUSAL_PERMISSION, "'%s' leads further than it may", place->path);
    else
        ga_refuse_errno(error, number, "'%s'", place->path);
}

static GaFd
find(const GaPlace *place, const char *path, gint flags, GError **error)
{
    GaFd fd = open_path(place, path, O_PATH | flags, 0);

    if (fd < 0)
        refuse(place, errno, error);
    return fd;
}

GaFd
ga_place_find(const GaPlace *place, gboolean follow, GError **error)
{
    return find(place, place->path, follow ? 0 : O_NOFOLLOW, error);
}

GaFd
ga_place_find_parent(const GaPlace *place, const char **ret_name, GError **error)
{
    const char *name = strrchr(place->path, '/') + 1;
    g_autofree char *parent = g_strndup(place->path, (gsize)(name - place->path));

    if (!name[0] || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        ga_refuse(error, GA_REFUSAL_BAD_VALUE, "'%s' does not end with a name", place->path);
        return -1;
    }

    GaFd fd = find(place, parent, O_DIRECTORY, error);
    if (fd >= 0)
        *ret_name = name;
    return fd;
}

char *
ga_fd_path(GaFd fd)
{
    return g_strdup_printf("/proc/self/fd/%d", fd);
}

static GaFd
reopen(const GaPlace *place, GaFd found, gint flags, GError **error)
{
    g_autofree char *path = ga_fd_path(found);
    GaFd fd = open(path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0)
        ga_refuse_errno(error, errno, "'%s'", place->path);
    return fd;
}

static GaFd
open_found(const GaPlace *place, GaFd found, gint access, GError **error)
{
    struct stat status;

    if (fstat(found, &status) < 0) {
        ga_refuse_errno(error, errno, "'%s'", place->path);
        return -1;
    }
    if (!S_ISREG(status.st_mode)) {
        ga_refuse(error, GA_REFUSAL_BAD_VALUE, "'%s' is not a regular file", place->path);
        return -1;
    }
    return reopen(place, found, access, error);
}

GaFd
ga_place_open(const GaPlace *place, gint access, GError **error)
{
    g_auto(GaFd) found = ga_place_find(place, TRUE, error);

    return found < 0 ? -1 : open_found(place, found, access, error);
}

GaFd
ga_place_open_or_create(const GaPlace *place, gint access, guint mode, GError **error)
{
    g_auto(GaFd) found = open_path(place, place->path, O_PATH, 0);

    if (found >= 0)
        return open_found(place, found, access, error);
    /* A link that leads nowhere is not a place to create anything: O_EXCL says so. */
    GaFd fd = errno == ENOENT ? open_path(place, place->path, access | O_CREAT | O_EXCL, 0) : -1;
    if (fd < 0)
        refuse(place, errno, error);
    else if (fchmod(fd, mode) < 0) /* whatever the umask is */
        ga_refuse_errno(error, errno, "permissions of '%s'", place->path);
    else
        return fd;
    return -1;
}

GaFd
ga_place_open_folder(const GaPlace *place, GError **error)
{
    g_auto(GaFd) found = find(place, place->path, O_DIRECTORY, error);

    return found < 0 ? -1 : reopen(place, found, O_RDONLY | O_DIRECTORY, error);
}
