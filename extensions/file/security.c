/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Access ACLs and SELinux labels, as the kernel has them: what is in them is not looked at. */
#include "file/security.h"

#include <errno.h>
#include <linux/limits.h>
#include <sys/xattr.h>

#define ACL "system.posix_acl_access"
#define LABEL "security.selinux"

/* No such attribute, or a file system that has none. */
static gboolean
is_none(gint number)
{
    return number == ENODATA || number == ENOTSUP;
}

static gboolean
read_one(const char *path, const char *name, GBytes **ret_value)
{
    g_autofree guint8 *value = g_malloc(XATTR_SIZE_MAX);
    gssize size = getxattr(path, name, value, XATTR_SIZE_MAX);

    if (size < 0 && !is_none(errno))
        return FALSE;
    *ret_value = size < 0 ? NULL : g_bytes_new(value, (gsize)size);
    return TRUE;
}

gboolean
ga_security_read(GaSecurity *security, GaFd fd)
{
    g_autofree char *path = ga_fd_path(fd); /* fgetxattr() takes no O_PATH */

    return read_one(path, ACL, &security->acl) && read_one(path, LABEL, &security->label);
}

void
ga_security_clear(GaSecurity *security)
{
    g_clear_pointer(&security->acl, g_bytes_unref);
    g_clear_pointer(&security->label, g_bytes_unref);
}

static gboolean
set(GaFd fd, const char *name, GBytes *value)
{
    gsize size;
    gconstpointer data = g_bytes_get_data(value, &size);

    return fsetxattr(fd, name, data, size, 0) == 0;
}

/* The label that it has already needs no right to set labels. */
gboolean
ga_security_give_label(const GaSecurity *security, GaFd fd)
{
    g_auto(GaSecurity) own = { 0 };

    if (!security->label)
        return TRUE;
    if (!ga_security_read(&own, fd))
        return FALSE;
    return (own.label && g_bytes_equal(own.label, security->label)) ||
           set(fd, LABEL, security->label);
}

/* A new file has one if its folder has one for new files. */
gboolean
ga_security_give_acl(const GaSecurity *security, GaFd fd)
{
    return security->acl ? set(fd, ACL, security->acl)
                         : fremovexattr(fd, ACL) == 0 || is_none(errno);
}
