/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is there of a copy that was cut is named after the file it is of, as
 * that was when it began: its path, its size, when it was changed. Another file
 * never goes on with it.
 */
#include "novacronctl/copy-ranges.h"

#include <errno.h>
#include <gio/gio.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "novacronctl/interrupt.h"
#include "novacronctl/jobs.h"
#include "novacronctl/output.h"
#include "novacronctl/progress.h"
#include "novacronctl/saved-file.h"
#include "runtime/qapi-base64.h"
#include "runtime/qapi-error.h"

#define PIECE (256u << 10)
#define PERMISSIONS 0777
#define ID_LENGTH 32

static gboolean
is_refused(const GError *error)
{
    return g_error_matches(error, QAPI_ERROR, QAPI_ERROR_COMMAND_NOT_FOUND);
}

static gboolean
starts_with(const GError *error, const char *word)
{
    return error->domain == QAPI_ERROR && g_str_has_prefix(error->message, word);
}

static gboolean
goes_on(GCancellable *cancellable, GError **error)
{
    if (!g_cancellable_is_cancelled(cancellable))
        return TRUE;
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INTR,
                "interrupted; the same command goes on where it was");
    return FALSE;
}

static gboolean
set_errno(const char *path, GError **error)
{
    int number = errno;

    g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(number), "cannot read '%s': %s",
                path, g_strerror(number));
    return FALSE;
}

/* A name for the rest of a copy: letters and digits. */
static char *
name_rest(const char *path, const char *version)
{
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);

    g_checksum_update(checksum, (const guchar *)path, (gssize)strlen(path) + 1);
    g_checksum_update(checksum, (const guchar *)version, (gssize)strlen(version));
    return g_strndup(g_checksum_get_string(checksum), ID_LENGTH);
}

/* The file's digest from its beginning to `size`; the file is read to there. */
static gboolean
hash_begin(int fd, const char *path, guint64 size, GChecksum *checksum, GError **error)
{
    g_autofree guint8 *buffer = g_malloc(PIECE);

    for (guint64 done = 0; done < size;) {
        gssize got = pread(fd, buffer, MIN(PIECE, size - done), (off_t)done);
        if (got < 0)
            return set_errno(path, error);
        if (got == 0) {
            g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "'%s' has become shorter", path);
            return FALSE;
        }
        g_checksum_update(checksum, buffer, got);
        done += (guint64)got;
    }
    return TRUE;
}

/* The result of a job, whose progress is shown; a job that failed is an error. */
static NovacronJobResult *
await_result(QgaClient *client, const NovacronJob *started, Progress *progress, GError **error)
{
    g_autoptr(NovacronJob) job = jobs_await(client, started->id, progress, error);

    if (!job)
        return NULL;
    if (!job->has_outcome || job->outcome != NOVACRON_JOB_OUTCOME_SUCCESS) {
        g_set_error(error, QAPI_ERROR, QAPI_ERROR_GENERIC, "%s",
                    job->error ? job->error->desc : "it was cancelled");
        return NULL;
    }
    const NovacronJobResultArgs args = { .id = job->id };
    NovacronJobResult *result = NULL;
    return qga_novacron_job_result(client, &args, &result, error) ? result : NULL;
}

static void
dismiss(QgaClient *client, char *id)
{
    const NovacronJobDismissArgs args = { .id = id };
    g_autoptr(GError) error = NULL;

    if (!qga_novacron_job_dismiss(client, &args, &error))
        g_debug("not dismissed: %s", error->message);
}

/* Out of the guest. */

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
        .count = PIECE,
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
receive_pieces(QgaClient *client, const char *source, const NovacronFilePiece *first, SavedFile *to,
               GChecksum *checksum, Progress *progress, GError **error)
{
    g_autoptr(GCancellable) cancellable = interrupt_watch();
    guint64 done = saved_file_size(to);

    while (done < first->size_bytes && goes_on(cancellable, error)) {
        g_autoptr(NovacronFilePiece)
            piece = read_piece(client, source, done, first->version, error);
        gsize size;

        if (!piece)
            return FALSE;
        const void *data = g_bytes_get_data(piece->buf_b64, &size);
        if (size == 0) {
            g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "'%s' has become shorter",
                        source);
            return FALSE;
        }
        if (!saved_file_write(to, data, size, error))
            return FALSE;
        g_checksum_update(checksum, data, (gssize)size);
        done += size;
        progress_show(progress, (gint64)done);
    }
    return done >= first->size_bytes;
}

/* The guest's digest of the whole file must be ours, of which a part is from an earlier time. */
static gboolean
check_whole(QgaClient *client, const char *source, GChecksum *checksum, GError **error)
{
    g_autofree char *path = g_strdup(source);
    const NovacronFileDigestArgs args = { .path = path };
    g_autoptr(NovacronJob) job = NULL;
    Progress progress;

    if (!qga_novacron_file_digest(client, &args, &job, error))
        return FALSE;
    progress_start(&progress, 0);
    g_autoptr(NovacronJobResult) result = await_result(client, job, &progress, error);
    progress_stop(&progress);
    dismiss(client, job->id);
    if (!result)
        return FALSE;
    g_autofree char *text = output_text(&novacron_job_result_type, &result);
    if (strstr(text, g_checksum_get_string(checksum)))
        return TRUE;
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
                "the copy of '%s' has another digest than the file", source);
    return FALSE;
}

static gint64
receive(QgaClient *client, const char *source, const NovacronFilePiece *first, SavedFile *to,
        GError **error)
{
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    guint64 begun = saved_file_size(to);
    Progress progress;

    if (!hash_begin(saved_file_fd(to), source, begun, checksum, error))
        return -1;
    progress_start(&progress, (gint64)first->size_bytes);
    gboolean is_whole = receive_pieces(client, source, first, to, checksum, &progress, error);
    progress_stop(&progress);
    if (!is_whole)
        return -1;
    if (begun > 0 && !check_whole(client, source, checksum, error)) {
        saved_file_discard(to);
        return -1;
    }
    return saved_file_commit(to, error) ? (gint64)first->size_bytes : -1;
}

gint64
copy_ranges_out(QgaClient *client, const char *source, const char *target, gboolean *ret_unfit,
                GError **error)
{
    g_autoptr(GError) local = NULL;

    *ret_unfit = TRUE;
    if (!g_path_is_absolute(source) || !g_utf8_validate(source, -1, NULL))
        return -1;
    g_autoptr(NovacronFilePiece) first = read_piece(client, source, 0, NULL, &local);
    /* What the kernel makes up as it is read has no size; what is no regular file is bad. */
    if (first ? first->size_bytes == 0 : is_refused(local) || starts_with(local, "bad-value:"))
        return -1;
    *ret_unfit = FALSE;
    if (!first) {
        g_propagate_error(error, g_steal_pointer(&local));
        return -1;
    }

    g_autofree char *name = name_rest(source, first->version);
    g_autoptr(SavedFile) to = saved_file_new_resumed(target, name, first->size_bytes, error);
    return to ? receive(client, source, first, to, error) : -1;
}

/* Into the guest. */

typedef struct {
    QgaClient *client;
    const char *source;
    int fd;
    guint64 size;
    char *id;
    char *path;
    gboolean is_in_folder; /* the target was one, and `path` leads into it */
    char *mode;            /* NULL: that of the file that is replaced */
} Upload;

static void
upload_clear(Upload *upload)
{
    g_free(upload->id);
    g_free(upload->path);
    g_free(upload->mode);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Upload, upload_clear)

/* What is there in the guest: a folder takes the source's name, and what is neither missing nor
 * regular is not replaced. */
static gboolean
look_at_target(Upload *upload, const struct stat *status, gboolean *ret_unfit, GError **error)
{
    g_autoptr(GError) local = NULL;
    g_autoptr(NovacronFileStatus) seen = NULL;
    const NovacronFileStatArgs args = { .path = upload->path, .has_follow = TRUE };

    if (qga_novacron_file_stat(upload->client, &args, &seen, &local)) {
        if (seen->type == NOVACRON_FILE_TYPE_DIRECTORY && !upload->is_in_folder) {
            g_autofree char *folder = g_steal_pointer(&upload->path);
            g_autofree char *name = g_path_get_basename(upload->source);
            upload->path = g_build_filename(folder, name, NULL);
            upload->is_in_folder = TRUE;
            return look_at_target(upload, status, ret_unfit, error);
        }
        *ret_unfit = seen->type != NOVACRON_FILE_TYPE_REGULAR;
        return !*ret_unfit;
    }
    *ret_unfit = is_refused(local);
    if (*ret_unfit)
        return FALSE;
    if (!starts_with(local, "not-found:")) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    upload->mode = g_strdup_printf("%04o", status->st_mode & PERMISSIONS);
    return TRUE;
}

static gboolean
write_piece(const Upload *upload, guint64 offset, const guint8 *data, gsize size, GError **error)
{
    g_autofree char *text = g_malloc(QAPI_BASE64_SIZE(size) + 1);
    g_autofree char *digest = g_compute_checksum_for_data(G_CHECKSUM_SHA256, data, size);
    const NovacronFileUploadWriteArgs args = {
        .id = upload->id,
        .offset = offset,
        .buf_b64 = text,
        .sha256 = digest,
    };
    g_autoptr(NovacronFileWritten) written = NULL;

    qapi_base64_encode(data, size, text);
    text[QAPI_BASE64_SIZE(size)] = '\0';
    return qga_novacron_file_upload_write(upload->client, &args, &written, error);
}

static gboolean
send_pieces(const Upload *upload, guint64 done, GChecksum *checksum, Progress *progress,
            GError **error)
{
    g_autoptr(GCancellable) cancellable = interrupt_watch();
    g_autofree guint8 *piece = g_malloc(QGA_CLIENT_DATA_MAX);

    while (done < upload->size && goes_on(cancellable, error)) {
        gssize size = pread(upload->fd, piece, MIN(QGA_CLIENT_DATA_MAX, upload->size - done),
                            (off_t)done);
        if (size < 0)
            return set_errno(upload->source, error);
        if (size == 0) {
            g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "'%s' has become shorter",
                        upload->source);
            return FALSE;
        }
        if (!write_piece(upload, done, piece, (gsize)size, error))
            return FALSE;
        g_checksum_update(checksum, piece, size);
        done += (guint64)size;
        progress_show(progress, (gint64)done);
    }
    return done >= upload->size;
}

static void
give_up(const Upload *upload)
{
    const NovacronFileUploadAbortArgs args = { .id = upload->id };
    g_autoptr(GError) error = NULL;

    if (!qga_novacron_file_upload_abort(upload->client, &args, &error))
        g_debug("not aborted: %s", error->message);
}

static gboolean
commit(const Upload *upload, GChecksum *checksum, GError **error)
{
    g_autofree char *digest = g_strdup(g_checksum_get_string(checksum));
    const NovacronFileUploadCommitArgs args = {
        .id = upload->id,
        .size_bytes = upload->size,
        .sha256 = digest,
        .mode = upload->mode,
    };
    g_autoptr(NovacronJob) job = NULL;
    Progress progress;

    if (!qga_novacron_file_upload_commit(upload->client, &args, &job, error))
        return FALSE;
    progress_start(&progress, (gint64)upload->size);
    g_autoptr(NovacronJobResult) result = await_result(upload->client, job, &progress, error);
    progress_stop(&progress);
    dismiss(upload->client, job->id);
    if (!result)
        give_up(upload); /* with these contents it can never be right */
    return result != NULL;
}

static gboolean
send_whole(const Upload *upload, guint64 begun, GError **error)
{
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    Progress progress;

    if (!hash_begin(upload->fd, upload->source, begun, checksum, error))
        return FALSE;
    progress_start(&progress, (gint64)upload->size);
    gboolean is_sent = send_pieces(upload, begun, checksum, &progress, error);
    progress_stop(&progress);
    return is_sent && commit(upload, checksum, error);
}

static gint64
begin(Upload *upload, const struct stat *status, gboolean *ret_unfit, GError **error)
{
    g_autofree char *version = g_strdup_printf(
        "%ju %ju %ju %jd.%09ld", (uintmax_t)status->st_dev, (uintmax_t)status->st_ino,
        (uintmax_t)status->st_size, (intmax_t)status->st_mtim.tv_sec, status->st_mtim.tv_nsec);
    g_autoptr(NovacronFileUpload) begun = NULL;
    g_autoptr(GError) local = NULL;

    upload->id = name_rest(upload->path, version);
    const NovacronFileUploadBeginArgs args = { .id = upload->id, .path = upload->path };
    if (!qga_novacron_file_upload_begin(upload->client, &args, &begun, &local)) {
        *ret_unfit = is_refused(local);
        g_propagate_error(error, g_steal_pointer(&local));
        return -1;
    }
    return (gint64)begun->size_bytes;
}

gint64
copy_ranges_in(QgaClient *client, int fd, const char *source, const char *target,
               gboolean *ret_unfit, GError **error)
{
    g_auto(Upload) upload = {
        .client = client,
        .source = source,
        .fd = fd,
        .path = g_strdup(target),
    };
    struct stat status;

    *ret_unfit = TRUE;
    if (!g_path_is_absolute(target) || !g_utf8_validate(target, -1, NULL) ||
        fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
        return -1;
    *ret_unfit = FALSE;
    upload.size = (guint64)status.st_size;
    if (!look_at_target(&upload, &status, ret_unfit, error))
        return -1;

    g_autoptr(GError) local = NULL;
    gint64 begun = begin(&upload, &status, ret_unfit, &local);
    if (begun >= 0 && (guint64)begun <= upload.size && send_whole(&upload, (guint64)begun, &local))
        return (gint64)upload.size;
    if (begun > (gint64)upload.size)
        give_up(&upload);
    if (!*ret_unfit && local)
        g_propagate_error(error, g_steal_pointer(&local));
    else if (!*ret_unfit)
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
                    "an earlier copy has left more than there is; try again");
    return -1;
}
