/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Out of the guest. What is there of a copy that was cut is named after the file
 * it is of, as that was when it began. Another file never goes on with it.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "novacronctl/copy-ranges.h"
#include "novacronctl/saved-file.h"

static NovacronFilePiece *
read_piece(QgaClient *client, const char *path, guint64 offset, const char *version, GError **error)
{
    g_autofree char *own_path = g_strdup(path);
    g_autofree char *own_version = g_strdup(version);
    const NovacronFileReadArgs args = {
        .path = own_path,
        .has_offset = TRUE,
        .offset = offset,
        .has_count = TRUE,
        .count = TRANSFER_PIECE,
        .version = own_version,
    };
    g_autoptr(NovacronFilePiece) piece = NULL;

    if (!qga_novacron_file_read(client, &args, &piece, error))
        return NULL;
    g_autofree char *digest = g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, piece->buf_b64);
    if (g_str_equal(digest, piece->sha256))
        return g_steal_pointer(&piece);
    g_set_error(error, QGA_CLIENT_ERROR, QGA_CLIENT_ERROR_PROTOCOL,
                "a piece of '%s' arrived with another digest than it was sent with", path);
    return NULL;
}

static gboolean
take_piece(const char *source, const NovacronFilePiece *piece, SavedFile *to, GChecksum *checksum,
           GError **error)
{
    gsize size;
    const void *data = g_bytes_get_data(piece->buf_b64, &size);

    if (size == 0) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "'%s' has become shorter", source);
        return FALSE;
    }
    g_checksum_update(checksum, data, (gssize)size);
    return saved_file_write(to, data, size, error);
}

/* The rest of the file, whose beginning is already there in `first`. */
static gboolean
receive_pieces(Transfer *transfer, const char *source, const NovacronFilePiece *first,
               SavedFile *to, GChecksum *checksum, GError **error)
{
    if (saved_file_size(to) == 0 && first->size_bytes > 0 &&
        !take_piece(source, first, to, checksum, error))
        return FALSE;
    while (saved_file_size(to) < first->size_bytes) {
        if (!transfer_goes_on(transfer, error))
            return FALSE;
        g_autoptr(NovacronFilePiece) piece = read_piece(transfer->client, source,
                                                        saved_file_size(to), first->version, error);
        if (!piece || !take_piece(source, piece, to, checksum, error))
            return FALSE;
        transfer_show(transfer, saved_file_size(to));
    }
    return TRUE;
}

/* The guest's digest of the whole file must be ours, of which a part is from an earlier time. */
static gboolean
check_whole(const Transfer *transfer, const char *source, GChecksum *checksum, GError **error)
{
    g_autofree char *digest = transfer_digest(transfer, source, NULL, error);

    if (!digest || g_str_equal(digest, g_checksum_get_string(checksum)))
        return digest != NULL;
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
                "the copy of '%s' has another digest than the file", source);
    return FALSE;
}

static gint64
receive(Transfer *transfer, const char *source, const NovacronFilePiece *first, SavedFile *to,
        GError **error)
{
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    guint64 begun = saved_file_size(to);

    transfer_skip(transfer, begun);
    if (!transfer_hash(transfer, saved_file_fd(to), source, begun, checksum, error) ||
        !receive_pieces(transfer, source, first, to, checksum, error))
        return -1;
    if (begun > 0 && !check_whole(transfer, source, checksum, error)) {
        saved_file_discard(to);
        return -1;
    }
    return saved_file_commit(to, error) ? (gint64)first->size_bytes : -1;
}

gint64
copy_ranges_out(QgaClient *client, const char *source, const char *target, CopyUnfit *ret_unfit,
                GError **error)
{
    g_autoptr(GError) local = NULL;

    *ret_unfit = COPY_UNFIT;
    if (!g_path_is_absolute(source) || !g_utf8_validate(source, -1, NULL))
        return -1;
    g_autoptr(NovacronFilePiece) first = read_piece(client, source, 0, NULL, &local);
    if (!first && transfer_is_refused(local))
        *ret_unfit = COPY_REFUSED;
    /* What the kernel makes up as it is read has no size; what is no regular file is bad. */
    if (first ? first->size_bytes == 0
              : transfer_is_refused(local) || transfer_is(local, "bad-value"))
        return -1;
    *ret_unfit = COPY_FITS;
    if (!first) {
        g_propagate_error(error, g_steal_pointer(&local));
        return -1;
    }

    g_autofree char *rest = transfer_name_rest(source, first->version);
    g_autoptr(SavedFile) to = saved_file_new_resumed(target, rest, first->size_bytes, error);
    if (!to)
        return -1;
    g_auto(Transfer) transfer = { 0 };
    transfer_start(&transfer, client, first->size_bytes);
    return receive(&transfer, source, first, to, error);
}

/* The file that is there already, if it is no shorter or longer; -1: none. */
static int
open_present(int folder, const char *name, guint64 size)
{
    struct stat status;
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0 ||
        (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && (guint64)status.st_size == size))
        return fd;
    close(fd);
    return -1;
}

/* Of large files only, which take longer to send than to read twice. */
static gboolean
is_present(const Transfer *transfer, const char *source, guint64 size, int folder, const char *name)
{
    int fd = size > TRANSFER_PIECE ? open_present(folder, name, size) : -1;
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);

    if (fd < 0)
        return FALSE;
    gboolean is_equal = transfer_hash(transfer, fd, name, size, checksum, NULL) &&
                        check_whole(transfer, source, checksum, NULL);
    close(fd);
    return is_equal;
}

gint64
copy_ranges_out_in(Transfer *transfer, const char *source, int folder, const char *name, guint mode,
                   GError **error)
{
    g_autoptr(NovacronFilePiece) first = read_piece(transfer->client, source, 0, NULL, error);

    if (!first)
        return -1;
    if (first->size_bytes == 0 && g_bytes_get_size(first->buf_b64) > 0) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                    "'%s' is made up as it is read; it can only be copied alone", source);
        return -1;
    }
    if (is_present(transfer, source, first->size_bytes, folder, name)) {
        transfer_skip(transfer, first->size_bytes);
        return (gint64)first->size_bytes;
    }
    g_autofree char *rest = transfer_name_rest(source, first->version);
    g_autoptr(SavedFile) to = saved_file_new_in(folder, name, rest, first->size_bytes, mode, error);
    return to ? receive(transfer, source, first, to, error) : -1;
}
