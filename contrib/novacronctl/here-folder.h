/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A folder of this machine into which a guest's files go, and never beside it:
 * no symbolic link below it is followed, whoever made it. Paths are below the
 * folder, and without parts that lead up.
 */
#pragma once

#include <glib.h>

typedef struct HereFolder HereFolder;

/* `path` is made with the permissions `mode`, less the umask, unless it is there; a symbolic link
 * is an error, and with `must_be_ours` another user's folder, too. */
HereFolder *here_folder_open(const char *path, guint mode, gboolean must_be_ours, GError **error);
void here_folder_free(HereFolder *folder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HereFolder, here_folder_free)

/* The folder that the last part of `path` is in, borrowed until the next call, and that part. */
int here_folder_parent(HereFolder *folder, const char *path, const char **ret_name, GError **error);

/* One that is there already stays as it is. */
gboolean here_folder_mkdir(HereFolder *folder, const char *path, guint mode, GError **error);

/* Another link or file of that name is replaced. */
gboolean here_folder_symlink(HereFolder *folder, const char *path, const char *target,
                             GError **error);

/* The permissions of a folder; "" is the top. */
gboolean here_folder_mode(HereFolder *folder, const char *path, guint mode, GError **error);

/* All that was written is on the disk. */
gboolean here_folder_sync(HereFolder *folder, GError **error);
