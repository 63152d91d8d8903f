/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of the guest through guest-file-*. */
#include "novacronctl/remote-file.h"

#include "runtime/qapi-base64.h"

/* In base64 well below 4 MiB, the most that libvirt lets through. */
#define READ_SIZE (1u << 20)

struct RemoteFile {
    QgaClient *client;
    gint64 handle;
    gboolean is_open;
    char *text; /* room for a piece in base64 */
};

RemoteFile *
remote_file_open(QgaClient *client, const char *path, const char *mode, GError **error)
{
    g_autofree char *own_path = g_strdup(path);
    g_autofree char *own_mode = g_strdup(mode);
    const GuestFileOpenArgs args = { .path = own_path, .mode = own_mode };
    gint64 handle;

    if (!g_utf8_validate(path, -1, NULL)) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "the path in the guest is not UTF-8, which is all that can be sent");
        return NULL;
    }
    if (!qga_guest_file_open(client, &args, &handle, error))
        return NULL;

    RemoteFile *file = g_new0(RemoteFile, 1);
    file->client = client;
    file->handle = handle;
    file->is_open = TRUE;
    return file;
}

static gint64
seek(RemoteFile *file, QGASeek from, GError **error)
{
    GuestFileWhence whence = { .branch = GUEST_FILE_WHENCE_NAME, .u.name = from };
    const GuestFileSeekArgs args = { .handle = file->handle, .whence = &whence };
    g_autoptr(GuestFileSeek) reached = NULL;

    return qga_guest_file_seek(file->client, &args, &reached, error) ? reached->position : -1;
}

gint64
remote_file_seek_end(RemoteFile *file, GError **error)
{
    return seek(file, QGA_SEEK_END, error);
}

gboolean
remote_file_rewind(RemoteFile *file, GError **error)
{
    return seek(file, QGA_SEEK_SET, error) == 0;
}

GBytes *
remote_file_read(RemoteFile *file, GError **error)
{
    const GuestFileReadArgs args = {
        .handle = file->handle,
        .has_count = TRUE,
        .count = READ_SIZE,
    };
    g_autoptr(GuestFileRead) piece = NULL;

    if (!qga_guest_file_read(file->client, &args, &piece, error))
        return NULL;
    return g_steal_pointer(&piece->buf_b64);
}

gboolean
remote_file_write(RemoteFile *file, const void *data, gsize size, GError **error)
{
    gsize length = QAPI_BASE64_SIZE(size);
    g_autoptr(GuestFileWrite) written = NULL;

    g_return_val_if_fail(size <= QGA_CLIENT_DATA_MAX, FALSE);

    if (!file->text)
        file->text = g_malloc(QAPI_BASE64_SIZE(QGA_CLIENT_DATA_MAX) + 1);
    qapi_base64_encode(data, size, file->text);
    file->text[length] = '\0';

    const GuestFileWriteArgs args = { .handle = file->handle, .buf_b64 = file->text };
    if (!qga_guest_file_write(file->client, &args, &written, error))
        return FALSE;
    if (written->count == (gint64)size)
        return TRUE;
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
                "only %" G_GINT64_FORMAT " of %" G_GSIZE_FORMAT " bytes were written",
                written->count, size);
    return FALSE;
}

gboolean
remote_file_close(RemoteFile *file, GError **error)
{
    const GuestFileCloseArgs args = { .handle = file->handle };

    file->is_open = FALSE;
    return qga_guest_file_close(file->client, &args, error);
}

void
remote_file_free(RemoteFile *file)
{
    g_autoptr(GError) error = NULL;

    if (!file)
        return;
    if (file->is_open && !remote_file_close(file, &error))
        g_debug("left open: %s", error->message);
    g_free(file->text);
    g_free(file);
}
