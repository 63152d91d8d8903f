/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A folder with all that is in it, as it was when it was looked at. */
#pragma once

#include "novacronctl/client.h"

typedef struct {
    char *path; /* below the top, which itself is ""; no part of it leads up */
    NovacronFileType type;
    guint mode; /* permissions */
    guint64 size;
    char *target; /* of a symbolic link */
} TreeEntry;

typedef struct {
    GPtrArray *entries; /* of TreeEntry, folders before what is in them; the first is the top */
    guint64 bytes;      /* of all files */
    guint failures;     /* so many could not be looked at, which was said */
} Tree;

/* NULL if the top is no folder, or cannot be read. */
Tree *tree_of_guest(QgaClient *client, const char *top, GError **error);
Tree *tree_of_here(const char *top, GError **error);

void tree_free(Tree *tree);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Tree, tree_free)
