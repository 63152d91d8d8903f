/* SPDX-License-Identifier: GPL-2.0-or-later */
/* novacron-job-*: following jobs, whatever started them. */
#include <string.h>

#include "core/area.h"
#include "core/listing.h"
#include "extensions/job/jobs.h"
#include "gen/job-commands.h"

void
ga_probe_job(G_GNUC_UNUSED GaAgent *agent, G_GNUC_UNUSED GaAreaReport *report)
{
}

static NovacronJobProgress *
copy_progress(const NovacronJobProgress *progress)
{
    if (!progress)
        return NULL;

    NovacronJobProgress *copy = g_new(NovacronJobProgress, 1);
    *copy = *progress;
    copy->unit = g_strdup(progress->unit);
    copy->phase = g_strdup(progress->phase);
    return copy;
}

static NovacronJobError *
copy_error(const NovacronJobError *error)
{
    if (!error)
        return NULL;

    NovacronJobError *copy = g_new(NovacronJobError, 1);
    *copy = *error;
    copy->desc = g_strdup(error->desc);
    return copy;
}

/* Results own what they have. */
static NovacronJob *
copy_job(const GaJob *job)
{
    const NovacronJob *seen = ga_job_seen(job);
    NovacronJob *copy = g_new(NovacronJob, 1);

    *copy = *seen;
    copy->id = g_strdup(seen->id);
    copy->command = g_strdup(seen->command);
    copy->request_id = g_strdup(seen->request_id);
    copy->progress = copy_progress(seen->progress);
    copy->error = copy_error(seen->error);
    return copy;
}

static gboolean
fill(GaTable *table, gpointer data, G_GNUC_UNUSED GError **error)
{
    const GPtrArray *all = ga_jobs_list(data);

    for (guint i = 0; i < all->len && ga_table_add(table, ga_job_seen(all->pdata[i])); i++)
        ;
    return TRUE;
}

void
novacron_job_query(GaCall *call, const NovacronPage *args)
{
    static const GaListing jobs = { &novacron_job_type, fill };

    ga_listing_run(&jobs, call, args, ga_jobs_of(ga_call_agent(call)));
}

void
novacron_job_wait(GaCall *call, const NovacronJobWaitArgs *args)
{
    GError *error = NULL;
    GaJob *job = ga_jobs_find(ga_jobs_of(ga_call_agent(call)), args->id, &error);

    if (job)
        ga_job_wait(job, call, args->has_generation ? args->generation : G_MAXUINT64,
                    args->wait_ms);
    else
        ga_call_fail(call, error);
}

NovacronJobResult *
novacron_job_result(GaAgent *agent, const NovacronJobResultArgs *args, GError **error)
{
    GaJob *job = ga_jobs_find(ga_jobs_of(agent), args->id, error);

    if (!job)
        return NULL;
    if (!ga_job_is_concluded(job)) {
        ga_refuse(error, GA_REFUSAL_BUSY, "job %s has not concluded", args->id);
        return NULL;
    }
    if (!ga_job_result(job)) {
        ga_refuse(error, GA_REFUSAL_NOT_FOUND, "job %s has no result", args->id);
        return NULL;
    }

    NovacronJobResult *result = g_new0(NovacronJobResult, 1);
    result->job = copy_job(job);
    result->result = qapi_any_new_text(g_strdup(ga_job_result(job)));
    return result;
}

NovacronJob *
novacron_job_cancel(GaAgent *agent, const NovacronJobCancelArgs *args, GError **error)
{
    GaJob *job = ga_jobs_find(ga_jobs_of(agent), args->id, error);

    return job && ga_job_cancel(job, error) ? copy_job(job) : NULL;
}

gboolean
novacron_job_dismiss(GaAgent *agent, const NovacronJobDismissArgs *args, GError **error)
{
    GaJob *job = ga_jobs_find(ga_jobs_of(agent), args->id, error);

    if (!job)
        return FALSE;
    if (!ga_job_is_concluded(job)) {
        ga_refuse(error, GA_REFUSAL_BUSY, "job %s has not concluded", args->id);
        return FALSE;
    }
    ga_job_dismiss(job);
    return TRUE;
}
