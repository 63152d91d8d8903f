/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An open file of the guest. */
#pragma once

#include "novacronctl/client.h"

typedef struct RemoteFile RemoteFile;

/* `mode` as for fopen(). The agent keeps files open when we leave, hence never forget one. */
RemoteFile *remote_file_open(QgaClient *client, const char *path, const char *mode, GError **error);

/* The end of the file, where the next piece will then be read or written; -1 with an error. */
gint64 remote_file_seek_end(RemoteFile *file, GError **error);
gboolean remote_file_rewind(RemoteFile *file, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The next piece; an empty one is the end. */
GBytes *remote_file_read(RemoteFile *file, GError **error);

/* All of `size` bytes, at most QGA_CLIENT_DATA_MAX. */
gboolean remote_file_write(RemoteFile *file, const void *data, gsize size,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Close it and tell about what was not written after all. It must still be freed. */
gboolean remote_file_close(RemoteFile *file, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Closes it, too, if that was not done. */
void remote_file_free(RemoteFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RemoteFile, remote_file_free)
