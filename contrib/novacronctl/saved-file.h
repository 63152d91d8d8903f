/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file of this machine that appears whole or not at all: it is written under
 * a temporary name beside its target, whose place it takes when it is complete.
 */
#pragma once

#include <glib.h>

typedef struct SavedFile SavedFile;

/* `path` does not exist yet or is a regular file, whose mode is kept. */
SavedFile *saved_file_new(const char *path, GError **error);

/* The same, but without a commit what was written remains, and who comes again with the same `rest`
 * (a part of a file's name) goes on with it, unless it is longer than `size_max`. */
SavedFile *saved_file_new_resumed(const char *path, const char *rest, guint64 size_max,
                                  GError **error);

/* The same for the name `name` in the folder that `folder` is open on (borrowed): no link is
 * followed, whatever had the name is replaced, and the file gets the permissions `mode`. It is not
 * waited for until it is on the disk. */
SavedFile *saved_file_new_in(int folder, const char *name, const char *rest, guint64 size_max,
                             guint mode, GError **error);

/* So much is written. */
guint64 saved_file_size(const SavedFile *file);

/* For reading what is written; borrowed. */
int saved_file_fd(const SavedFile *file);

/* Nobody shall go on with it. */
void saved_file_discard(SavedFile *file);

gboolean saved_file_write(SavedFile *file, const void *data, gsize size,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Put it in place, on the disk for good. */
gboolean saved_file_commit(SavedFile *file, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Without a commit, nothing of it remains, or what saved_file_new_resumed() says. */
void saved_file_free(SavedFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SavedFile, saved_file_free)
