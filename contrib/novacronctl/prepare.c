/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What goes before a freeze: a job in the guest that may take as long as a checkpoint does. */
#include <stdio.h>

#include "novacronctl/prepare.h"

#include "novacronctl/output.h"
#include "runtime/qapi-error.h"
#include "runtime/qapi-read.h"

/* Between two looks at the signals. */
#define TURN_MS 250

static NovacronJob *
begin(const Subcommand *subcommand, GError **error)
{
    g_autofree char *request_id = g_uuid_string_random();
    const NovacronQuiesceBeginArgs args = { .has_lenient = TRUE,
                                            .lenient = subcommand->options->lenient,
                                            .request_id = request_id };
    g_autoptr(GError) local = NULL;
    NovacronJob *job = NULL;

    if (!qga_novacron_quiesce_begin(subcommand->client, &args, &job, &local) &&
        !g_error_matches(local, QAPI_ERROR, QAPI_ERROR_COMMAND_NOT_FOUND))
        g_propagate_error(error, g_steal_pointer(&local));
    return job;
}

/* The job as it is then; it is freed if that cannot be known. */
static gboolean
look(QgaClient *client, NovacronJob **job, GError **error)
{
    const NovacronJobWaitArgs args = { .id = (*job)->id, .wait_ms = TURN_MS };
    NovacronJob *now = NULL;
    gboolean is_told = qga_novacron_job_wait(client, &args, &now, error);

    novacron_job_free(*job);
    *job = now;
    return is_told;
}

static gboolean
cancel(QgaClient *client, const NovacronJob *job, GError **error)
{
    const NovacronJobCancelArgs args = { .id = job->id };
    g_autoptr(NovacronJob) seen = NULL;

    return qga_novacron_job_cancel(client, &args, &seen, error);
}

static gboolean
wait_for(QgaClient *client, NovacronJob **job, int signals, GError **error)
{
    gboolean was_told = FALSE;

    while ((*job)->status != NOVACRON_JOB_STATUS_CONCLUDED) {
        GPollFD fd = { .fd = signals, .events = G_IO_IN };

        if (!was_told && g_poll(&fd, 1, 0) > 0) {
            was_told = TRUE;
            if (!cancel(client, *job, error))
                return FALSE;
        }
        if (!look(client, job, error))
            return FALSE;
    }
    if ((*job)->outcome == NOVACRON_JOB_OUTCOME_SUCCESS ||
        (*job)->outcome == NOVACRON_JOB_OUTCOME_PARTIAL)
        return TRUE;
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "applications are not ready: %s",
                (*job)->error ? (*job)->error->desc : "the job was given up");
    return FALSE;
}

static char *
describe_app(const NovacronQuiesceHeldApp *app)
{
    const char *name = novacron_quiesce_kind_type.values[app->kind];

    if (app->error)
        return g_strdup_printf("%s (process %" G_GINT64_FORMAT ") is left out: %s", name, app->pid,
                               app->error);
    return g_strdup_printf("%s %s: %s", name, app->version ? app->version : "",
                           app->detail ? app->detail : "ready");
}

/* What a server says of itself is the guest's. */
static void
print_app(const NovacronQuiesceHeldApp *app)
{
    g_autofree char *text = describe_app(app);
    g_autofree char *clean = output_clean(text);

    fprintf(stderr, "%s\n", clean);
}

/* For people, and what they cannot read is no reason to fail. */
static void
print_apps(const Subcommand *subcommand, const NovacronJob *job)
{
    const NovacronJobResultArgs args = { .id = job->id };
    g_autoptr(NovacronJobResult) told = NULL;
    g_autoptr(NovacronQuiescePrepared) prepared = NULL;

    if (subcommand->options->as_json || subcommand->options->quiet ||
        !qga_novacron_job_result(subcommand->client, &args, &told, NULL) ||
        !qapi_read(&novacron_quiesce_prepared_type, told->result->value, told->result->node,
                   QAPI_READ_COPY, "result", &prepared, NULL))
        return;
    for (guint i = 0; i < prepared->apps->len; i++)
        print_app(prepared->apps->pdata[i]);
}

char *
prepare_apps(const Subcommand *subcommand, int signals, GError **error)
{
    g_autoptr(NovacronJob) job = begin(subcommand, error);

    if (!job || !wait_for(subcommand->client, &job, signals, error))
        return NULL;
    print_apps(subcommand, job);
    return g_strdup(job->id);
}
