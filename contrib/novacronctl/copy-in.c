/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Into the guest. An upload is named after the file it is of, as that was when
 * it began: its path, its size, when it was changed. Another file never goes on
 * with it.
 */
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "novacronctl/copy-ranges.h"
#include "runtime/qapi-base64.h"
#include "runtime/qapi-error.h"

#define PERMISSIONS 0777

typedef struct {
    const char *source;
    int fd;
    struct stat status;
    char *id;
    char *path;
    NovacronFileResolve *resolve; /* NULL: wherever the path leads */
    gboolean is_in_folder;        /* the target was one, and `path` leads into it */
    char *mode;                   /* NULL: that of the file that is replaced */
} Upload;

static void
upload_clear(Upload *upload)
{
    g_free(upload->id);
    g_free(upload->path);
    g_free(upload->mode);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Upload, upload_clear)

static guint64
size_of(const Upload *upload)
{
    return (guint64)upload->status.st_size;
}

/* What is there in the guest: a folder takes the source's name, and what is neither missing nor
 * regular is not replaced. */
static gboolean
look_at_target(Upload *upload, QgaClient *client, CopyUnfit *ret_unfit, GError **error)
{
    g_autoptr(GError) local = NULL;
    g_autoptr(NovacronFileStatus) seen = NULL;
    const NovacronFileStatArgs args = { .path = upload->path, .has_follow = TRUE };

    if (qga_novacron_file_stat(client, &args, &seen, &local)) {
        if (seen->type == NOVACRON_FILE_TYPE_DIRECTORY && !upload->is_in_folder) {
            g_autofree char *folder = g_steal_pointer(&upload->path);
            g_autofree char *name = g_path_get_basename(upload->source);
            upload->path = g_build_filename(folder, name, NULL);
            upload->is_in_folder = TRUE;
            return look_at_target(upload, client, ret_unfit, error);
        }
        *ret_unfit = seen->type == NOVACRON_FILE_TYPE_REGULAR ? COPY_FITS : COPY_UNFIT;
        return *ret_unfit == COPY_FITS;
    }
    *ret_unfit = transfer_is_refused(local) ? COPY_REFUSED : COPY_FITS;
    if (*ret_unfit)
        return FALSE;
    if (!transfer_is(local, "not-found")) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    upload->mode = g_strdup_printf("%04o", upload->status.st_mode & PERMISSIONS);
    return TRUE;
}

static char *
encode(const guint8 *data, gsize size)
{
    char *text = g_malloc(QAPI_BASE64_SIZE(size) + 1);

    qapi_base64_encode(data, size, text);
    text[QAPI_BASE64_SIZE(size)] = '\0';
    return text;
}

static gboolean
write_piece(const Transfer *transfer, const Upload *upload, guint64 offset, const guint8 *data,
            gsize size, GError **error)
{
    g_autofree char *text = encode(data, size);
    g_autofree char *digest = g_compute_checksum_for_data(G_CHECKSUM_SHA256, data, size);
    const NovacronFileUploadWriteArgs args = {
        .id = upload->id,
        .offset = offset,
        .buf_b64 = text,
        .sha256 = digest,
    };
    g_autoptr(NovacronFileWritten) written = NULL;
    guint attempts = 0;

    for (;;) {
        g_autoptr(GError) local = NULL;
        if (qga_novacron_file_upload_write(transfer->client, &args, &written, &local))
            return TRUE;
        if (transfer_asks_again(transfer, local, &attempts))
            continue;
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
}

static gboolean
send_pieces(Transfer *transfer, const Upload *upload, guint64 done, GChecksum *checksum,
            GError **error)
{
    g_autofree guint8 *piece = g_malloc(QGA_CLIENT_DATA_MAX);

    while (done < size_of(upload)) {
        if (!transfer_goes_on(transfer, error))
            return FALSE;
        gssize size = pread(upload->fd, piece, MIN(QGA_CLIENT_DATA_MAX, size_of(upload) - done),
                            (off_t)done);
        if (size < 0)
            return transfer_fail_errno(error, "read", upload->source);
        if (size == 0) {
            g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "'%s' has become shorter",
                        upload->source);
            return FALSE;
        }
        if (!write_piece(transfer, upload, done, piece, (gsize)size, error))
            return FALSE;
        g_checksum_update(checksum, piece, size);
        done += (guint64)size;
        transfer_show(transfer, done);
    }
    return TRUE;
}

static void
give_up(const Upload *upload, QgaClient *client)
{
    const NovacronFileUploadAbortArgs args = { .id = upload->id };
    g_autoptr(GError) error = NULL;

    if (!qga_novacron_file_upload_abort(client, &args, &error))
        g_debug("not aborted: %s", error->message);
}

static gboolean
commit_once(const Transfer *transfer, const Upload *upload, char *digest, GError **error)
{
    g_autofree char *request_id = g_uuid_string_random();
    const NovacronFileUploadCommitArgs args = {
        .id = upload->id,
        .size_bytes = size_of(upload),
        .sha256 = digest,
        .mode = upload->mode,
        .request_id = request_id,
    };
    g_autoptr(NovacronJob) job = NULL;

    return qga_novacron_file_upload_commit(transfer->client, &args, &job, error) &&
           transfer_await(transfer, job, NULL, error);
}

/* An agent that was restarted may have done it before, and not have told. */
static gboolean
is_committed(const Transfer *transfer, const Upload *upload, const char *digest)
{
    g_autofree char *theirs = transfer_digest(transfer, upload->path, upload->resolve, NULL);

    return g_strcmp0(theirs, digest) == 0;
}

static gboolean
commit(const Transfer *transfer, const Upload *upload, GChecksum *checksum, GError **error)
{
    g_autofree char *digest = g_strdup(g_checksum_get_string(checksum));
    gboolean was_interrupted = FALSE;
    guint attempts = 0;

    for (;;) {
        g_autoptr(GError) local = NULL;
        if (commit_once(transfer, upload, digest, &local))
            return TRUE;
        gboolean is_gone = transfer_is(local, "not-found");
        if (was_interrupted && is_gone && is_committed(transfer, upload, digest))
            return TRUE;
        if (!was_interrupted && (is_gone || transfer_is(local, "interrupted"))) {
            was_interrupted = TRUE;
            continue;
        }
        if (transfer_asks_again(transfer, local, &attempts))
            continue;
        /* With the contents that the guest has, what it refuses can never be right. */
        if (local->domain == QAPI_ERROR)
            give_up(upload, transfer->client);
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
}

static gint64
send_whole(Transfer *transfer, const Upload *upload, guint64 begun, GError **error)
{
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);

    transfer_skip(transfer, begun);
    return transfer_hash(transfer, upload->fd, upload->source, begun, checksum, error) &&
                   send_pieces(transfer, upload, begun, checksum, error) &&
                   commit(transfer, upload, checksum, error)
               ? (gint64)size_of(upload)
               : -1;
}

/* Or go on. Tells how much of it is there. */
static gboolean
begin(Upload *upload, QgaClient *client, guint64 *ret_begun, GError **error)
{
    const struct stat *status = &upload->status;
    g_autofree char *version = g_strdup_printf(
        "%ju %ju %ju %jd.%09ld %s", (uintmax_t)status->st_dev, (uintmax_t)status->st_ino,
        (uintmax_t)status->st_size, (intmax_t)status->st_mtim.tv_sec, status->st_mtim.tv_nsec,
        upload->resolve ? upload->resolve->root : "");
    g_autoptr(NovacronFileUpload) begun = NULL;

    g_free(upload->id);
    upload->id = transfer_name_rest(upload->path, version);
    const NovacronFileUploadBeginArgs args = {
        .id = upload->id,
        .path = upload->path,
        .resolve = upload->resolve,
    };
    if (!qga_novacron_file_upload_begin(client, &args, &begun, error))
        return FALSE;
    *ret_begun = begun->size_bytes;
    if (begun->size_bytes <= size_of(upload))
        return TRUE;
    give_up(upload, client);
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
                "an earlier copy has left more than there is; try again");
    return FALSE;
}

/* A guest that was restarted has perhaps lost what was not yet on its disk, and wants all of it
 * again. */
static gint64
send_upload(Transfer *transfer, Upload *upload, guint64 begun, GError **error)
{
    g_autoptr(GError) local = NULL;
    gint64 size = send_whole(transfer, upload, begun, &local);

    if (size >= 0)
        return size;
    if (transfer_is(local, "interrupted"))
        return begin(upload, transfer->client, &begun, error)
                   ? send_whole(transfer, upload, begun, error)
                   : -1;
    g_propagate_error(error, g_steal_pointer(&local));
    return -1;
}

gint64
copy_ranges_in(QgaClient *client, int fd, const char *source, const char *target,
               CopyUnfit *ret_unfit, GError **error)
{
    g_auto(Upload) upload = { .source = source, .fd = fd, .path = g_strdup(target) };
    g_autoptr(GError) local = NULL;
    guint64 begun;

    *ret_unfit = COPY_UNFIT;
    if (!g_path_is_absolute(target) || !g_utf8_validate(target, -1, NULL) ||
        fstat(fd, &upload.status) < 0 || !S_ISREG(upload.status.st_mode))
        return -1;
    *ret_unfit = COPY_FITS;
    if (!look_at_target(&upload, client, ret_unfit, error))
        return -1;
    if (!begin(&upload, client, &begun, &local)) {
        *ret_unfit = transfer_is_refused(local) ? COPY_REFUSED : COPY_FITS;
        if (!*ret_unfit)
            g_propagate_error(error, g_steal_pointer(&local));
        return -1;
    }
    g_auto(Transfer) transfer = { 0 };
    transfer_start(&transfer, client, size_of(&upload));
    return send_upload(&transfer, &upload, begun, error);
}

/* Of large files only, which take longer to send than to read twice. */
static gboolean
is_present(const Transfer *transfer, const Upload *upload)
{
    const NovacronFileStatArgs args = {
        .path = upload->path,
        .resolve = upload->resolve,
        .has_follow = TRUE,
    };
    g_autoptr(NovacronFileStatus) seen = NULL;
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);

    if (size_of(upload) <= TRANSFER_PIECE ||
        !qga_novacron_file_stat(transfer->client, &args, &seen, NULL) ||
        seen->type != NOVACRON_FILE_TYPE_REGULAR || seen->size_bytes != size_of(upload) ||
        !transfer_hash(transfer, upload->fd, upload->source, size_of(upload), checksum, NULL))
        return FALSE;
    g_autofree char *digest = transfer_digest(transfer, upload->path, upload->resolve, NULL);
    return g_strcmp0(digest, g_checksum_get_string(checksum)) == 0;
}

/* All of it in one piece, where it stands: an upload waits for the disk, once for each file. */
static gboolean
write_at_once(const Transfer *transfer, const Upload *upload, GError **error)
{
    g_autofree guint8 *data = g_malloc(QGA_CLIENT_DATA_MAX);
    gssize size = pread(upload->fd, data, QGA_CLIENT_DATA_MAX, 0);
    if (size < 0)
        return transfer_fail_errno(error, "read", upload->source);

    g_autofree char *text = encode(data, (gsize)size);
    g_autofree char *digest = g_compute_checksum_for_data(G_CHECKSUM_SHA256, data, (gsize)size);
    const NovacronFileWriteArgs args = {
        .path = upload->path,
        .resolve = upload->resolve,
        .buf_b64 = text,
        .sha256 = digest,
        .create = upload->mode,
        .has_truncate = TRUE,
        .truncate = TRUE,
    };
    /* What is there of an earlier time may have had other permissions. */
    const NovacronFileModeArgs permissions = {
        .path = upload->path,
        .resolve = upload->resolve,
        .mode = upload->mode,
    };
    g_autoptr(NovacronFileWritten) written = NULL;
    return qga_novacron_file_write(transfer->client, &args, &written, error) &&
           qga_novacron_file_mode(transfer->client, &permissions, error);
}

gint64
copy_ranges_in_below(Transfer *transfer, int fd, const char *source, NovacronFileResolve *resolve,
                     const char *target, guint mode, gboolean is_hidden, GError **error)
{
    g_auto(Upload) upload = {
        .source = source,
        .fd = fd,
        .path = g_strdup(target),
        .resolve = resolve,
        .mode = g_strdup_printf("%04o", mode),
    };
    guint64 begun;

    if (fstat(fd, &upload.status) < 0) {
        transfer_fail_errno(error, "read", source);
        return -1;
    }
    if (is_hidden && size_of(&upload) <= QGA_CLIENT_DATA_MAX)
        return write_at_once(transfer, &upload, error) ? (gint64)size_of(&upload) : -1;
    if (is_present(transfer, &upload)) {
        transfer_skip(transfer, size_of(&upload));
        return (gint64)size_of(&upload);
    }
    return begin(&upload, transfer->client, &begun, error)
               ? send_upload(transfer, &upload, begun, error)
               : -1;
}
