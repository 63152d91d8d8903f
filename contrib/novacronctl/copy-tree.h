/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copies of folders with all that is in them: files, folders, symbolic links and
 * their permissions. A folder that was not there appears as a whole; until then
 * its name begins with a dot, and the same copy goes on with it. Nothing is
 * written through a symbolic link below the target: not here, and not in a guest
 * whose kernel can watch that.
 */
#pragma once

#include "novacronctl/client.h"

/* What has become of it. */
typedef struct {
    guint64 bytes;
    guint64 files;
    guint64 folders;
    guint64 links;
    guint64 failures; /* names that were left out, which was said */
} CopyTreeCounts;

/* `target` is the new folder, or one that is there, in which it gets the name of `source`. FALSE:
 * all went no further; single files that cannot be copied are only counted. */
gboolean copy_tree_out(QgaClient *client, const char *source, const char *target,
                       CopyTreeCounts *counts, GError **error);
gboolean copy_tree_in(QgaClient *client, const char *source, const char *target,
                      CopyTreeCounts *counts, GError **error);
