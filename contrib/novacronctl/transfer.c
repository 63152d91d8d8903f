/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "novacronctl/transfer.h"

#include <errno.h>
#include <json-glib/json-glib.h>
#include <string.h>
#include <unistd.h>

#include "novacronctl/interrupt.h"
#include "novacronctl/jobs.h"
#include "novacronctl/output.h"
#include "runtime/qapi-error.h"

#define ID_LENGTH 32

/* Ten seconds together. */
#define BUSY_ATTEMPTS 200
#define BUSY_PAUSE_US (50 * 1000)

void
transfer_start(Transfer *transfer, QgaClient *client, guint64 total)
{
    *transfer = (Transfer){ .client = client, .cancellable = interrupt_watch() };
    if (g_cancellable_make_pollfd(transfer->cancellable, &transfer->stop))
        qga_client_stop_at(client, &transfer->stop);
    progress_start(&transfer->progress, (gint64)total);
}

void
transfer_clear(Transfer *transfer)
{
    if (!transfer->client)
        return;
    progress_stop(&transfer->progress);
    qga_client_stop_at(transfer->client, NULL);
    g_cancellable_release_fd(transfer->cancellable);
    g_clear_object(&transfer->cancellable);
}

gboolean
transfer_goes_on(const Transfer *transfer, GError **error)
{
    if (!g_cancellable_is_cancelled(transfer->cancellable))
        return TRUE;
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INTR,
                "interrupted; the same command goes on where it was");
    return FALSE;
}

void
transfer_show(Transfer *transfer, guint64 done)
{
    progress_show(&transfer->progress, (gint64)(transfer->before + done));
}

void
transfer_skip(Transfer *transfer, guint64 done)
{
    progress_skip(&transfer->progress, (gint64)done);
}

char *
transfer_name_rest(const char *path, const char *version)
{
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);

    g_checksum_update(checksum, (const guchar *)path, (gssize)strlen(path) + 1);
    g_checksum_update(checksum, (const guchar *)version, (gssize)strlen(version));
    return g_strndup(g_checksum_get_string(checksum), ID_LENGTH);
}

gboolean
transfer_hash(const Transfer *transfer, int fd, const char *path, guint64 size, GChecksum *checksum,
              GError **error)
{
    g_autofree guint8 *buffer = g_malloc(TRANSFER_PIECE);

    for (guint64 done = 0; done < size;) {
        gssize got = pread(fd, buffer, MIN(TRANSFER_PIECE, size - done), (off_t)done);
        if (got < 0)
            return transfer_fail_errno(error, "read", path);
        if (got == 0) {
            g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "'%s' has become shorter", path);
            return FALSE;
        }
        if (!transfer_goes_on(transfer, error))
            return FALSE;
        g_checksum_update(checksum, buffer, got);
        done += (guint64)got;
    }
    return TRUE;
}

static void
dismiss(QgaClient *client, char *id)
{
    const NovacronJobDismissArgs args = { .id = id };
    g_autoptr(GError) error = NULL;

    if (!qga_novacron_job_dismiss(client, &args, &error))
        g_debug("not dismissed: %s", error->message);
}

/* What it works on stays as it was. */
static void
cancel(QgaClient *client, char *id)
{
    const NovacronJobCancelArgs args = { .id = id };
    g_autoptr(NovacronJob) job = NULL;
    g_autoptr(GError) error = NULL;

    if (!qga_novacron_job_cancel(client, &args, &job, &error))
        g_debug("not cancelled: %s", error->message);
}

static NovacronJob *
await_end(const Transfer *transfer, const char *id, GError **error)
{
    Progress progress = { 0 };

    if (!transfer->is_part)
        progress_start(&progress, 0);
    NovacronJob *job = jobs_await(transfer->client, id, &progress, transfer->cancellable, error);
    progress_stop(&progress);
    return job;
}

gboolean
transfer_await(const Transfer *transfer, const NovacronJob *started, NovacronJobResult **ret_result,
               GError **error)
{
    g_autoptr(NovacronJob) job = await_end(transfer, started->id, error);

    if (!job && g_cancellable_is_cancelled(transfer->cancellable)) {
        g_clear_error(error);
        cancel(transfer->client, started->id);
        return transfer_goes_on(transfer, error);
    }
    if (!job)
        return FALSE;
    gboolean is_done = job->has_outcome && job->outcome == NOVACRON_JOB_OUTCOME_SUCCESS;
    if (!is_done) {
        qga_client_blame(transfer->client, job->command);
        g_set_error(error, QAPI_ERROR, QAPI_ERROR_GENERIC, "%s",
                    job->error ? job->error->desc : "it was cancelled");
    } else if (ret_result) {
        const NovacronJobResultArgs args = { .id = job->id };
        is_done = qga_novacron_job_result(transfer->client, &args, ret_result, error);
    }
    dismiss(transfer->client, job->id);
    return is_done;
}

/* A job's result is a value of any kind, which JSON holds best. */
static char *
read_digest(const NovacronJobResult *result)
{
    g_autofree char *text = output_text(&novacron_job_result_type, &result);
    g_autoptr(JsonNode) root = json_from_string(text, NULL);
    JsonNode *told = json_object_get_member(json_node_get_object(root), "result");
    JsonNode *digest = told && JSON_NODE_HOLDS_OBJECT(told)
                           ? json_object_get_member(json_node_get_object(told), "sha256")
                           : NULL;

    return digest && json_node_get_value_type(digest) == G_TYPE_STRING
               ? json_node_dup_string(digest)
               : g_strdup("");
}

static char *
digest_once(const Transfer *transfer, const char *path, NovacronFileResolve *resolve,
            GError **error)
{
    g_autofree char *own_path = g_strdup(path);
    g_autofree char *request_id = g_uuid_string_random();
    const NovacronFileDigestArgs args = {
        .path = own_path,
        .resolve = resolve,
        .request_id = request_id,
    };
    g_autoptr(NovacronJob) job = NULL;
    g_autoptr(NovacronJobResult) result = NULL;

    if (!qga_novacron_file_digest(transfer->client, &args, &job, error) ||
        !transfer_await(transfer, job, &result, error))
        return NULL;
    return read_digest(result);
}

/* An agent that was restarted meanwhile does not know the job any more. */
char *
transfer_digest(const Transfer *transfer, const char *path, NovacronFileResolve *resolve,
                GError **error)
{
    g_autoptr(GError) local = NULL;
    char *digest = digest_once(transfer, path, resolve, &local);

    if (digest)
        return digest;
    if (transfer_is(local, "not-found") || transfer_is(local, "interrupted"))
        return digest_once(transfer, path, resolve, error);
    g_propagate_error(error, g_steal_pointer(&local));
    return NULL;
}

gboolean
transfer_asks_again(const Transfer *transfer, const GError *error, guint *attempts)
{
    if (!transfer_is(error, "busy") || ++*attempts > BUSY_ATTEMPTS ||
        g_cancellable_is_cancelled(transfer->cancellable))
        return FALSE;
    g_usleep(BUSY_PAUSE_US);
    return TRUE;
}

gboolean
transfer_is_refused(const GError *error)
{
    return g_error_matches(error, QAPI_ERROR, QAPI_ERROR_COMMAND_NOT_FOUND);
}

gboolean
transfer_is(const GError *error, const char *kind)
{
    gsize length = strlen(kind);

    return error->domain == QAPI_ERROR && strncmp(error->message, kind, length) == 0 &&
           error->message[length] == ':';
}

gboolean
transfer_is_over(const GError *error)
{
    return error->domain == QGA_CLIENT_ERROR || transfer_is_refused(error) ||
           transfer_is(error, "no-space") ||
           g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOSPC) ||
           g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_INTR);
}

gboolean
transfer_fail_errno(GError **error, const char *what, const char *path)
{
    int number = errno;

    g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(number), "cannot %s '%s': %s",
                what, path, g_strerror(number));
    return FALSE;
}
