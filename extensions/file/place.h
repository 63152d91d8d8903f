/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a client points to: a path, and how far it may lead. All of this may wait for a
 * disk or a server, so it is for threads; only making a place is not.
 */
#pragma once

#include "gen/file.h"

typedef struct {
    char *path;  /* absolute, without slashes at its end */
    char *root;  /* absolute, or NULL */
    guint64 how; /* the kernel's bits; 0: an ordinary path */
} GaPlace;

/* NULL: refused, bad-value. `resolve` may be NULL. */
GaPlace *ga_place_new(const char *path, const NovacronFileResolve *resolve, GError **error);
void ga_place_free(GaPlace *place);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GaPlace, ga_place_free)

/* A descriptor, or -1. The functions below answer one that is the caller's. */
typedef gint GaFd;
void ga_fd_close(GaFd fd);
G_DEFINE_AUTO_CLEANUP_FREE_FUNC(GaFd, ga_fd_close, -1)

/* What is there, without opening it (O_PATH): nothing waits and nothing is done to a device. */
GaFd ga_place_find(const GaPlace *place, gboolean follow, GError **error);

/* The folder that its last part is in, and that part, borrowed. */
GaFd ga_place_find_parent(const GaPlace *place, const char **ret_name, GError **error);

/* Open a regular file for `access` (O_RDONLY, O_WRONLY or O_RDWR); else bad-value. */
GaFd ga_place_open(const GaPlace *place, gint access, GError **error);

/* The same, made with `mode` if it is not there. */
GaFd ga_place_open_or_create(const GaPlace *place, gint access, guint mode, GError **error);

/* Open a folder for reading. */
GaFd ga_place_open_folder(const GaPlace *place, GError **error);

/* The path by which the kernel lets one open what an O_PATH descriptor stands for. */
char *ga_fd_path(GaFd fd);
