/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A job. The struct of the wire is its state: every change goes through changed(),
 * which counts it and ends the waits of those who wanted to know.
 *
 * One that changes the guest is on record before it begins, and before it is told as
 * concluded: it is `created` and `pending-finalize` while a thread writes that.
 */
#include "extensions/job/job.h"

#include <string.h>

#include "core/event.h"
#include "extensions/job/job-private.h"
#include "runtime/qapi-write.h"

/* Of one result: what a reply carries, with room for the job around it. */
#define RESULT_MAX (1024 * 1024 - 8192)

gint64
ga_job_now_ns(void)
{
    return g_get_real_time() * 1000;
}

GaJob *
ga_job_new(GaJobs *jobs, const GaJobKind *kind, NovacronJob *seen, gpointer data)
{
    GaJob *job = g_new0(GaJob, 1);

    job->jobs = jobs;
    job->kind = kind;
    job->seen = seen;
    job->data = data;
    return job;
}

static void
release_data(GaJob *job)
{
    if (job->deadline)
        g_source_remove(job->deadline);
    job->deadline = 0;
    if (job->kind && job->data)
        job->kind->free(job->data);
    job->data = NULL;
}

void
ga_job_free(GaJob *job)
{
    release_data(job);
    novacron_job_free(job->seen);
    g_free(job->result);
    g_free(job);
}

const NovacronJob *
ga_job_seen(const GaJob *job)
{
    return job->seen;
}

const char *
ga_job_result(const GaJob *job)
{
    return job->result;
}

gboolean
ga_job_is_concluded(const GaJob *job)
{
    return job->seen->status == NOVACRON_JOB_STATUS_CONCLUDED;
}

static void
changed(GaJob *job)
{
    GaJobs *jobs = job->jobs;

    job->seen->generation = ++jobs->generation;
    ga_job_waits_end(jobs->waits, job);
}

static void
set_status(GaJob *job, NovacronJobStatus status)
{
    job->seen->status = status;
    ga_event_emit(job->jobs->agent, &(GaEvent){ .type = GA_EVENT_JOB_STATUS_CHANGE,
                                                .id = job->seen->id,
                                                .status = status,
                                                .outcome = job->outcome });
    changed(job);
}

static void
set_error(NovacronJob *seen, GaRefusal code, const char *text)
{
    seen->error = g_new0(NovacronJobError, 1);
    seen->error->code = (NovacronErrorCode)code;
    seen->error->desc = g_strdup(text);
    seen->error->retryable = code == GA_REFUSAL_BUSY || code == GA_REFUSAL_TIMEOUT ||
                             code == GA_REFUSAL_INTERRUPTED || code == GA_REFUSAL_NO_SPACE;
}

/* The end. */

static void
describe_end(const GaJob *job, NovacronJob *seen)
{
    seen->has_outcome = TRUE;
    seen->outcome = job->outcome;
    seen->has_concluded_ns = TRUE;
    seen->concluded_ns = job->ended_ns;
    seen->has_result_bytes = job->result != NULL;
    seen->result_bytes = job->result ? strlen(job->result) : 0;
}

static void
tell_end(GaJob *job)
{
    describe_end(job, job->seen);
    set_status(job, NOVACRON_JOB_STATUS_CONCLUDED);
}

static void
warn_of(GError *error)
{
    if (error)
        g_warning("%s", error->message);
    g_clear_error(&error);
}

/* What it has done is done, on record or not. */
static void
on_end_recorded(GError *error, gpointer user_data)
{
    GaJob *job = user_data;

    warn_of(error);
    tell_end(job);
    ga_jobs_make_room(job->jobs);
}

static void
record_end(GaJob *job, GaRecorded recorded)
{
    NovacronJob over = *job->seen;

    describe_end(job, &over);
    over.status = NOVACRON_JOB_STATUS_CONCLUDED;
    ga_recorder_write(job->jobs->recorder, &over, job->result, recorded, job);
}

static void
end(GaJob *job, NovacronJobOutcome outcome)
{
    release_data(job);
    job->has_ended = TRUE;
    job->outcome = outcome;
    job->ended_ns = ga_job_now_ns();
}

static void
conclude(GaJob *job, NovacronJobOutcome outcome)
{
    end(job, outcome);
    if (!job->is_on_record) {
        tell_end(job);
        ga_jobs_make_room(job->jobs);
        return;
    }
    set_status(job, NOVACRON_JOB_STATUS_PENDING_FINALIZE);
    record_end(job, on_end_recorded);
}

static void
on_interruption_recorded(GError *error, G_GNUC_UNUSED gpointer user_data)
{
    warn_of(error);
}

/* It is told at once: without that record the next agent would say the same. */
void
ga_job_interrupt(GaJob *job)
{
    set_error(job->seen, GA_REFUSAL_INTERRUPTED,
              "interrupted: the agent or the guest was restarted");
    end(job, NOVACRON_JOB_OUTCOME_FAILED);
    record_end(job, on_interruption_recorded);
    tell_end(job);
}

static char *
text_of(const QapiType *type, gconstpointer place)
{
    g_autoptr(QapiWriter) writer = qapi_writer_new();

    qapi_write(writer, type, place);
    return qapi_writer_to_text(writer, NULL);
}

void
ga_job_conclude(GaJob *job, NovacronJobOutcome outcome, gconstpointer place)
{
    if (place && job->kind->result) {
        g_autofree char *text = text_of(job->kind->result, place);

        if (strlen(text) > RESULT_MAX) {
            GError *error = NULL;

            ga_refuse(&error, GA_REFUSAL_BUDGET, "the result has %" G_GSIZE_FORMAT " bytes",
                      strlen(text));
            ga_job_fail(job, GA_REFUSAL_BUDGET, error);
            return;
        }
        job->result = g_steal_pointer(&text);
    }
    if (job->is_cancelled && outcome == NOVACRON_JOB_OUTCOME_PARTIAL)
        outcome = NOVACRON_JOB_OUTCOME_CANCELLED;
    conclude(job, outcome);
}

void
ga_job_fail(GaJob *job, GaRefusal code, GError *error)
{
    if (job->is_late)
        set_error(job->seen, GA_REFUSAL_TIMEOUT, "timeout: the job took too long");
    else if (!job->is_cancelled)
        set_error(job->seen, code, error->message);
    g_error_free(error);
    conclude(job, job->is_cancelled && !job->is_late ? NOVACRON_JOB_OUTCOME_CANCELLED
                                                     : NOVACRON_JOB_OUTCOME_FAILED);
}

/* The beginning. */

static void
begin(GaJob *job)
{
    job->is_begun = TRUE;
    set_status(job, NOVACRON_JOB_STATUS_RUNNING);
    job->kind->begin(job, job->data);
}

static void
on_recorded(GError *error, gpointer user_data)
{
    GaJob *job = user_data;

    job->is_on_record = !error;
    if (!error && !job->is_cancelled && !job->is_late) {
        begin(job);
        return;
    }
    if (!error)
        ga_refuse(&error, GA_REFUSAL_CANCELLED, "before it has begun");
    ga_job_fail(job, ga_refusal_of(error), error);
}

/* One that has not begun ends when its record is written. */
static void
abort_work(GaJob *job)
{
    set_status(job, NOVACRON_JOB_STATUS_ABORTING);
    if (job->is_begun)
        job->kind->cancel(job->data);
}

static gboolean
on_deadline(gpointer user_data)
{
    GaJob *job = user_data;

    job->deadline = 0;
    job->is_late = TRUE;
    abort_work(job);
    return G_SOURCE_REMOVE;
}

void
ga_job_enter(GaJob *job)
{
    if (job->kind->deadline_ms)
        job->deadline = g_timeout_add(job->kind->deadline_ms, on_deadline, job);
    if (!job->kind->changes_guest) {
        begin(job);
        return;
    }
    set_status(job, NOVACRON_JOB_STATUS_CREATED);
    ga_recorder_write(job->jobs->recorder, job->seen, NULL, on_recorded, job);
}

gboolean
ga_job_cancel(GaJob *job, GError **error)
{
    if (job->has_ended || job->is_cancelled)
        return TRUE;
    if (!job->kind->cancel) {
        ga_refuse(error, GA_REFUSAL_UNSUPPORTED, "job %s cannot be stopped", job->seen->id);
        return FALSE;
    }
    job->is_cancelled = TRUE;
    abort_work(job);
    return TRUE;
}

/* Meanwhile. */

/* By the pace until now. */
static void
estimate(NovacronJob *seen)
{
    NovacronJobProgress *progress = seen->progress;
    double elapsed_ms = (double)(ga_job_now_ns() - seen->created_ns) / 1e6;

    progress->has_eta_ms = progress->total > progress->current && progress->current > 0 &&
                           elapsed_ms > 0;
    if (progress->has_eta_ms)
        progress->eta_ms = (guint64)(elapsed_ms / (double)progress->current *
                                     (double)(progress->total - progress->current));
}

void
ga_job_progress(GaJob *job, guint64 current, guint64 total, const char *phase)
{
    NovacronJob *seen = job->seen;

    if (!seen->progress) {
        seen->progress = g_new0(NovacronJobProgress, 1);
        seen->progress->unit = g_strdup(job->kind->unit);
    }
    seen->progress->current = current;
    seen->progress->total = total;
    if (phase) {
        g_free(seen->progress->phase);
        seen->progress->phase = g_strdup(phase);
    }
    estimate(seen);
    changed(job);
}
