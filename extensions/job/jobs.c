/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All jobs of an agent: those of its own, and what former ones have left on record. */
#include "extensions/job/jobs.h"

#include <string.h>

#include "core/bounds.h"
#include "core/config.h"
#include "extensions/job/job-private.h"
#include "extensions/job/record.h"
#include "runtime/qapi-write.h"

/* What is over and was not dismissed: enough for a client that comes back after a week-end. */
#define CONCLUDED_MAX 64
#define RESULT_BYTES_MAX (16 * 1024 * 1024)
#define CONCLUDED_AGE (7 * 24 * 3600 * G_GINT64_CONSTANT(1000000000))

/* Not over: each may have a thread or a process. */
#define RUNNING_MAX 32

static void
forget(GaJobs *jobs, guint i)
{
    GaJob *job = jobs->all->pdata[i];

    if (job->seen->changes_guest)
        ga_recorder_remove(jobs->recorder, job->seen->id);
    g_ptr_array_remove_index(jobs->all, i);
    ga_job_waits_disappoint(jobs->waits, job);
    ga_job_free(job);
}

void
ga_jobs_make_room(GaJobs *jobs)
{
    guint n_concluded = 0;
    gsize bytes = 0;

    for (guint i = jobs->all->len; i > 0; i--) {
        const GaJob *job = jobs->all->pdata[i - 1];

        if (!ga_job_is_concluded(job))
            continue;
        n_concluded++;
        bytes += job->result ? strlen(job->result) : 0;
        if (n_concluded > CONCLUDED_MAX || bytes > RESULT_BYTES_MAX ||
            ga_job_now_ns() - job->seen->concluded_ns > CONCLUDED_AGE)
            forget(jobs, i - 1);
    }
}

static char *
text_of_any(const QapiAny *any)
{
    g_autoptr(QapiWriter) writer = qapi_writer_new();

    qapi_write_echo(writer, any->value, any->node);
    return qapi_writer_to_text(writer, NULL);
}

static GaJob *
recall(GaJobs *jobs, NovacronJobRecord *record)
{
    GaJob *job = ga_job_new(jobs, NULL, g_steal_pointer(&record->job), NULL);

    if (record->result)
        job->result = text_of_any(record->result);
    job->seen->generation = ++jobs->generation;
    job->has_ended = TRUE;
    return job;
}

/* What a former agent did not conclude was cut short. */
static void
read_records(GaJobs *jobs, const char *folder)
{
    g_autoptr(GPtrArray) records = ga_record_read_all(folder);

    for (guint i = 0; i < records->len; i++) {
        NovacronJobRecord *record = records->pdata[i];
        GaJob *job = recall(jobs, record);

        g_ptr_array_add(jobs->all, job);
        novacron_job_record_free(record);
        if (!ga_job_is_concluded(job))
            ga_job_interrupt(job);
    }
    ga_jobs_make_room(jobs);
}

static gpointer
jobs_open(GaAgent *agent)
{
    GaJobs *jobs = g_new0(GaJobs, 1);
    g_autofree char *folder = g_build_filename(ga_config_data_directory(ga_agent_config(agent)),
                                               "jobs", NULL);

    jobs->agent = agent;
    jobs->all = g_ptr_array_new();
    jobs->waits = ga_job_waits_new();
    jobs->recorder = ga_recorder_new(ga_agent_gate(agent), folder);
    read_records(jobs, folder);
    return jobs;
}

static void
jobs_close(gpointer state)
{
    GaJobs *jobs = state;

    ga_job_waits_free(jobs->waits);
    ga_recorder_free(jobs->recorder);
    for (guint i = 0; i < jobs->all->len; i++)
        ga_job_free(jobs->all->pdata[i]);
    g_ptr_array_free(jobs->all, TRUE);
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
    ga_jobs_make_room(jobs);
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

        if (job->has_ended)
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
    seen->changes_guest = kind->changes_guest;
    seen->created_ns = ga_job_now_ns();
    return seen;
}

static gboolean
is_short(const char *request_id, GError **error)
{
    if (!request_id || strlen(request_id) <= GA_REQUEST_ID_MAX)
        return TRUE;
    ga_refuse(error, GA_REFUSAL_BAD_VALUE, "a request-id has at most %d bytes", GA_REQUEST_ID_MAX);
    return FALSE;
}

GaJob *
ga_job_start(GaAgent *agent, const GaJobKind *kind, const char *request_id, gpointer data,
             GError **error)
{
    GaJobs *jobs = ga_jobs_of(agent);
    GaJob *job = find_request(jobs, kind, request_id);

    if (job || !is_short(request_id, error) || !has_room(jobs, kind, error)) {
        kind->free(data);
        return job;
    }
    job = ga_job_new(jobs, kind, describe(jobs, kind, request_id), data);
    g_ptr_array_add(jobs->all, job);
    ga_job_enter(job);
    return job;
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
    ga_job_waits_add(job->jobs->waits, job, call, generation, ms);
}
