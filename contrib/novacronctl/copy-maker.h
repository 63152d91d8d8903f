/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What both directions of copy-tree.h have in common. */
#pragma once

#include "novacronctl/copy-tree.h"
#include "novacronctl/transfer.h"
#include "novacronctl/tree.h"

/* A folder can only be filled by who may enter and write it. */
#define COPY_OWNER_RIGHTS 0700

/* Makes the things of a tree; each may be there already, and `to` says where. */
typedef struct {
    gboolean (*folder)(gpointer to, const TreeEntry *entry, guint mode, GError **error);
    gboolean (*link)(gpointer to, const TreeEntry *entry, GError **error);
    gint64 (*file)(gpointer to, Transfer *transfer, const TreeEntry *entry, GError **error);
    gboolean (*mode)(gpointer to, const TreeEntry *entry, GError **error);
} CopyMaker;

/* All but the top, which is there. What cannot be made is told of and counted; FALSE: nothing else
 * can be, either. */
gboolean copy_make_all(const CopyMaker *maker, gpointer to, Transfer *transfer, const Tree *tree,
                       CopyTreeCounts *counts, GError **error);

/* The name of `source` in a folder; NULL with an error if it has none. */
char *copy_name_of(const char *source, GError **error);

/* How the folder `path` is called until it is a complete copy of `source`. */
char *copy_hide(const char *path, const char *source);

char *copy_without_slashes(const char *path);
