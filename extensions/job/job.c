/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Jobs. The struct of the wire is the job's state: every change goes through
 * changed(), which counts it, puts it on record where that is needed, and ends the waits of
 * those who wanted to know.
 */
#include "extensions/job/job.h"

#include <string.h>

#include "core/config.h"
#include "core/event.h"
#include "core/wait.h"
#include "extensions/job/jobs.h"
#include "extensions/job/record.h"
#include "gen/job-commands.h"
#include "runtime/qapi-write.h"

/* What is over and was not dismissed: enough for a client that comes back after a week-end. */
#define CONCLUDED_MAX 64
#define RESULT_BYTES_MAX (16 * 1024 * 1024)
#define CONCLUDED_AGE (7 * 24 * 3600 * G_GINT64_CONSTANT(1000000000))

/* Not over: each may have a thread or a process. */
#define RUNNING_MAX 32

/* Between two looks whether file systems are still frozen. */
#define RECORD_RETRY_MS 250

/* Of one result: what a reply carries, with room for the job around it. */
#define RESULT_MAX (1024 * 1024 - 8192)

struct GaJobs {
    GaAgent *agent;
    GPtrArray *all; /* GaJob, the eldest first */
    GPtrArray *waits;
    char *folder; /* of records */
    guint64 generation;
    guint64 last_number;
    guint late_records; /* source; 0: all that is on record is up to date */
};

struct GaJob {
    GaJobs *jobs;
    const GaJobKind *kind; /* NULL: of a former agent */
    NovacronJob *seen;
    gpointer data;
    char *result;
    guint deadline; /* source */
    gboolean is_cancelled;
    gboolean is_late;
    gboolean is_unrecorded; /* its record is behind */
};

typedef struct {
    GaJob *job;
    GaCall *call;
    GaWait *wait;
    guint64 generation;
} Waiting;

static gint64
now_ns(void)
{
    return g_get_real_time() * 1000;
}

static gboolean
is_frozen(const GaJobs *jobs)
{
    return ga_gate_is_frozen(ga_agent_gate(jobs->agent));
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

static void
job_free(GaJob *job)
{
    release_data(job);
    novacron_job_free(job->seen);
    g_free(job->result);
    g_free(job);
}

gboolean
ga_job_is_concluded(const GaJob *job)
{
    return job->seen->status == NOVACRON_JOB_STATUS_CONCLUDED;
}

/* One that nobody waits for is no longer in the list when this is called. */
static void
answer_wait(GaCall *call, gpointer user_data)
{
    Waiting *waiting = user_data;
    GaJob *job = waiting->job;

    g_ptr_array_remove_fast(job->jobs->waits, waiting);
    g_free(waiting);
    novacron_job_wait_return(call, job->seen);
}

static void
end_waits(GaJob *job)
{
    const GPtrArray *waits = job->jobs->waits;

    for (guint i = waits->len; i > 0; i--) {
        Waiting *waiting = waits->pdata[i - 1];

        if (waiting->job == job &&
            (ga_job_is_concluded(job) || job->seen->generation > waiting->generation))
            ga_wait_end(waiting->wait);
    }
}

static gboolean
put_on_record(const GaJob *job, GError **error)
{
    return !job->seen->changes_guest ||
           ga_record_write(job->jobs->folder, job->seen, job->result, error);
}

static void
changed(GaJob *job)
{
    job->seen->generation = ++job->jobs->generation;
    end_waits(job);
}

static void
status_changed(GaJob *job)
{
    const NovacronJob *seen = job->seen;

    ga_event_emit(job->jobs->agent, &(GaEvent){ .type = GA_EVENT_JOB_STATUS_CHANGE,
                                                .id = seen->id,
                                                .status = seen->status,
                                                .outcome = seen->outcome });
    changed(job);
}

static gsize
result_size(const GaJob *job)
{
    return job->result ? strlen(job->result) : 0;
}

/* Those who still wait for it are told. */
static void
disappoint(const GaJob *job)
{
    GPtrArray *waits = job->jobs->waits;

    for (guint i = waits->len; i > 0; i--) {
        Waiting *waiting = waits->pdata[i - 1];
        GaCall *call = waiting->call;
        GError *error = NULL;

        if (waiting->job != job)
            continue;
        g_ptr_array_remove_index_fast(waits, i - 1);
        ga_wait_free(waiting->wait);
        g_free(waiting);
        ga_refuse(&error, GA_REFUSAL_NOT_FOUND, "job %s was dismissed", job->seen->id);
        ga_call_fail(call, error);
    }
}

static void
forget(GaJobs *jobs, guint i)
{
    GaJob *job = jobs->all->pdata[i];

    if (job->seen->changes_guest)
        ga_record_remove(jobs->folder, job->seen->id);
    g_ptr_array_remove_index(jobs->all, i);
    disappoint(job);
    job_free(job);
}

/* The eldest of those that are over make room. */
static void
make_room(GaJobs *jobs)
{
    guint n_concluded = 0;
    gsize bytes = 0;

    for (guint i = jobs->all->len; i > 0; i--) {
        const GaJob *job = jobs->all->pdata[i - 1];

        if (!ga_job_is_concluded(job))
            continue;
        n_concluded++;
        bytes += result_size(job);
        if (n_concluded > CONCLUDED_MAX || bytes > RESULT_BYTES_MAX ||
            now_ns() - job->seen->concluded_ns > CONCLUDED_AGE)
            forget(jobs, i - 1);
    }
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

static void
record(GaJob *job)
{
    g_autoptr(GError) error = NULL;

    job->is_unrecorded = FALSE;
    if (!put_on_record(job, &error))
        g_warning("%s", error->message);
}

static gboolean
record_late(gpointer user_data)
{
    GaJobs *jobs = user_data;

    if (is_frozen(jobs))
        return G_SOURCE_CONTINUE;
    for (guint i = 0; i < jobs->all->len; i++) {
        GaJob *job = jobs->all->pdata[i];

        if (job->is_unrecorded)
            record(job);
    }
    jobs->late_records = 0;
    return G_SOURCE_REMOVE;
}

/* A record may lie on a file system that is frozen, and who waits for that here would not hear the
 * thaw. */
static void
record_or_wait(GaJob *job)
{
    GaJobs *jobs = job->jobs;

    if (!is_frozen(jobs)) {
        record(job);
        return;
    }
    job->is_unrecorded = TRUE;
    if (!jobs->late_records)
        jobs->late_records = g_timeout_add(RECORD_RETRY_MS, record_late, jobs);
}

static void
conclude(GaJob *job, NovacronJobOutcome outcome)
{
    NovacronJob *seen = job->seen;

    release_data(job);
    seen->status = NOVACRON_JOB_STATUS_CONCLUDED;
    seen->has_outcome = TRUE;
    seen->outcome = outcome;
    seen->has_concluded_ns = TRUE;
    seen->concluded_ns = now_ns();
    seen->has_result_bytes = job->result != NULL;
    seen->result_bytes = result_size(job);
    record_or_wait(job);
    status_changed(job);
    if (!is_frozen(job->jobs))
        make_room(job->jobs);
}

/* A new one, last in the list. */
static GaJob *
add(GaJobs *jobs, const GaJobKind *kind, NovacronJob *seen)
{
    GaJob *job = g_new0(GaJob, 1);

    job->jobs = jobs;
    job->kind = kind;
    job->seen = seen;
    g_ptr_array_add(jobs->all, job);
    return job;
}

static char *
text_of_any(const QapiAny *any)
{
    g_autoptr(QapiWriter) writer = qapi_writer_new();

    qapi_write_echo(writer, any->value, any->node);
    return qapi_writer_to_text(writer, NULL);
}

/* What a former agent has left: what it did not conclude was cut short. */
static void
read_records(GaJobs *jobs)
{
    g_autoptr(GPtrArray) records = ga_record_read_all(jobs->folder);

    for (guint i = 0; i < records->len; i++) {
        NovacronJobRecord *record = records->pdata[i];
        GaJob *job = add(jobs, NULL, g_steal_pointer(&record->job));

        if (record->result)
            job->result = text_of_any(record->result);
        job->seen->generation = ++jobs->generation;
        novacron_job_record_free(record);
        if (ga_job_is_concluded(job))
            continue;
        set_error(job->seen, GA_REFUSAL_INTERRUPTED,
                  "interrupted: the agent or the guest was restarted");
        conclude(job, NOVACRON_JOB_OUTCOME_FAILED);
    }
    make_room(jobs);
}

static gpointer
jobs_open(GaAgent *agent)
{
    GaJobs *jobs = g_new0(GaJobs, 1);

    jobs->agent = agent;
    jobs->all = g_ptr_array_new();
    jobs->waits = g_ptr_array_new();
    jobs->folder = g_build_filename(ga_config_data_directory(ga_agent_config(agent)), "jobs", NULL);
    read_records(jobs);
    return jobs;
}

static void
jobs_close(gpointer state)
{
    GaJobs *jobs = state;

    for (guint i = 0; i < jobs->waits->len; i++) {
        Waiting *waiting = jobs->waits->pdata[i];

        ga_wait_free(waiting->wait);
        g_free(waiting);
    }
    if (jobs->late_records)
        g_source_remove(jobs->late_records);
    g_ptr_array_free(jobs->waits, TRUE);
    for (guint i = 0; i < jobs->all->len; i++)
        job_free(jobs->all->pdata[i]);
    g_ptr_array_free(jobs->all, TRUE);
    g_free(jobs->folder);
    g_free(jobs);
}

static const GaSlot jobs_slot = { "jobs", jobs_open, jobs_close };

GaJobs *
ga_jobs_of(GaAgent *agent)
{
    return ga_agent_slot(agent, &jobs_slot);
}

const GPtrArray *
ga_jobs_list(GaJobs *jobs)
{
    make_room(jobs);
    return jobs->all;
}

GaJob *
ga_jobs_find(GaJobs *jobs, const char *id, GError **error)
{
    for (guint i = 0; i < jobs->all->len; i++) {
        GaJob *job = jobs->all->pdata[i];

        if (strcmp(job->seen->id, id) == 0)
            return job;
    }
    ga_refuse(error, GA_REFUSAL_NOT_FOUND, "there is no job %s", id);
    return NULL;
}

static GaJob *
find_request(const GaJobs *jobs, const GaJobKind *kind, const char *request_id)
{
    for (guint i = 0; request_id && i < jobs->all->len; i++) {
        GaJob *job = jobs->all->pdata[i];

        if (g_strcmp0(job->seen->request_id, request_id) == 0 &&
            strcmp(job->seen->command, kind->command) == 0)
            return job;
    }
    return NULL;
}

static gboolean
has_room(const GaJobs *jobs, const GaJobKind *kind, GError **error)
{
    guint n_running = 0;

    for (guint i = 0; i < jobs->all->len; i++) {
        const GaJob *job = jobs->all->pdata[i];

        if (ga_job_is_concluded(job))
            continue;
        n_running++;
        if (kind->changes_guest && job->kind->changes_guest && kind->area &&
            g_strcmp0(kind->area, job->kind->area) == 0) {
            ga_refuse(error, GA_REFUSAL_BUSY, "job %s is under way", job->seen->id);
            return FALSE;
        }
    }
    if (n_running >= RUNNING_MAX) {
        ga_refuse(error, GA_REFUSAL_BUSY, "%u jobs are under way", n_running);
        return FALSE;
    }
    return TRUE;
}

/* The time makes it another one than those of former agents, of which there can be several in a
 * second; and clocks are set back. */
static char *
new_id(GaJobs *jobs)
{
    char *id = NULL;

    do {
        g_free(id);
        id = g_strdup_printf("%" G_GINT64_FORMAT "-%" G_GUINT64_FORMAT, g_get_real_time() / 1000,
                             ++jobs->last_number);
    } while (ga_jobs_find(jobs, id, NULL));
    return id;
}

static NovacronJob *
describe(GaJobs *jobs, const GaJobKind *kind, const char *request_id)
{
    NovacronJob *seen = g_new0(NovacronJob, 1);

    seen->id = new_id(jobs);
    seen->command = g_strdup(kind->command);
    seen->request_id = g_strdup(request_id);
    seen->status = NOVACRON_JOB_STATUS_RUNNING;
    seen->changes_guest = kind->changes_guest;
    seen->created_ns = now_ns();
    return seen;
}

static gboolean
on_deadline(gpointer user_data)
{
    GaJob *job = user_data;

    job->deadline = 0;
    job->is_late = TRUE;
    job->seen->status = NOVACRON_JOB_STATUS_ABORTING;
    status_changed(job);
    job->kind->cancel(job->data);
    return G_SOURCE_REMOVE;
}

GaJob *
ga_job_start(GaAgent *agent, const GaJobKind *kind, const char *request_id, gpointer data,
             GError **error)
{
    GaJobs *jobs = ga_jobs_of(agent);
    GaJob *job = find_request(jobs, kind, request_id);

    if (job || !has_room(jobs, kind, error)) {
        kind->free(data);
        return job;
    }

    job = add(jobs, kind, describe(jobs, kind, request_id));
    job->data = data;
    if (!put_on_record(job, error)) {
        g_ptr_array_remove_index(jobs->all, jobs->all->len - 1);
        job_free(job);
        return NULL;
    }
    if (kind->deadline_ms)
        job->deadline = g_timeout_add(kind->deadline_ms, on_deadline, job);
    status_changed(job);
    return job;
}

const NovacronJob *
ga_job_seen(const GaJob *job)
{
    return job->seen;
}

gpointer
ga_job_data(const GaJob *job)
{
    return job->data;
}

const char *
ga_job_result(const GaJob *job)
{
    return job->result;
}

/* By the pace until now. */
static void
estimate(NovacronJob *seen)
{
    NovacronJobProgress *progress = seen->progress;
    double elapsed_ms = (double)(now_ns() - seen->created_ns) / 1e6;

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

gboolean
ga_job_cancel(GaJob *job, GError **error)
{
    if (ga_job_is_concluded(job) || job->is_cancelled)
        return TRUE;
    if (!job->kind->cancel) {
        ga_refuse(error, GA_REFUSAL_UNSUPPORTED, "job %s cannot be stopped", job->seen->id);
        return FALSE;
    }
    job->is_cancelled = TRUE;
    job->seen->status = NOVACRON_JOB_STATUS_ABORTING;
    status_changed(job);
    job->kind->cancel(job->data);
    return TRUE;
}

void
ga_job_dismiss(GaJob *job)
{
    GaJobs *jobs = job->jobs;
    guint i = 0;

    while (jobs->all->pdata[i] != job)
        i++;
    jobs->generation++;
    forget(jobs, i);
}

void
ga_job_wait(GaJob *job, GaCall *call, guint64 generation, guint ms)
{
    if (ga_job_is_concluded(job) || job->seen->generation > generation || ms == 0) {
        novacron_job_wait_return(call, job->seen);
        return;
    }

    Waiting *waiting = g_new(Waiting, 1);
    *waiting = (Waiting){ .job = job, .call = call, .generation = generation };
    g_ptr_array_add(job->jobs->waits, waiting);
    waiting->wait = ga_wait_new(call, ms, answer_wait, waiting);
}
