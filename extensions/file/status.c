/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words for a file's status. */
#include "file/status.h"

#include <sys/stat.h>

#define NS_PER_S G_GINT64_CONSTANT(1000000000)

NovacronFileType
ga_file_type(guint mode)
{
    static const struct {
        guint format;
        NovacronFileType type;
    } types[] = {
        { S_IFREG, NOVACRON_FILE_TYPE_REGULAR },
        { S_IFDIR, NOVACRON_FILE_TYPE_DIRECTORY },
        { S_IFLNK, NOVACRON_FILE_TYPE_SYMLINK },
        { S_IFIFO, NOVACRON_FILE_TYPE_FIFO },
        { S_IFSOCK, NOVACRON_FILE_TYPE_SOCKET },
        { S_IFCHR, NOVACRON_FILE_TYPE_CHARACTER_DEVICE },
        { S_IFBLK, NOVACRON_FILE_TYPE_BLOCK_DEVICE },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(types); i++)
        if ((mode & S_IFMT) == types[i].format)
            return types[i].type;
    return NOVACRON_FILE_TYPE_OTHER;
}

char *
ga_file_mode(guint mode)
{
    return g_strdup_printf("%04o", mode & 07777);
}

gint64
ga_file_modified(const struct stat *status)
{
    return status->st_mtim.tv_sec * NS_PER_S + status->st_mtim.tv_nsec;
}

char *
ga_file_version(const struct stat *status)
{
    /* The time of the change of the inode as well: anybody can set the other one back. */
    gint64 changed = status->st_ctim.tv_sec * NS_PER_S + status->st_ctim.tv_nsec;

    return g_strdup_printf("%" G_GINT64_MODIFIER "x-%" G_GINT64_MODIFIER "x-%" G_GINT64_MODIFIER
                           "x-%" G_GINT64_MODIFIER "x",
                           (guint64)status->st_dev, (guint64)status->st_ino,
                           (guint64)status->st_size, (guint64)changed);
}
