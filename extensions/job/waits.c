/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "extensions/job/waits.h"

#include "core/wait.h"
#include "extensions/job/jobs.h"
#include "gen/job-commands.h"

struct GaJobWaits {
    GPtrArray *all; /* Waiting */
};

typedef struct {
    GaJobWaits *waits;
    GaJob *job;
    GaCall *call;
    GaWait *wait;
    guint64 generation;
} Waiting;

GaJobWaits *
ga_job_waits_new(void)
{
    GaJobWaits *waits = g_new(GaJobWaits, 1);

    waits->all = g_ptr_array_new();
    return waits;
}

void
ga_job_waits_free(GaJobWaits *waits)
{
    for (guint i = 0; i < waits->all->len; i++) {
        Waiting *waiting = waits->all->pdata[i];

        ga_wait_free(waiting->wait);
        g_free(waiting);
    }
    g_ptr_array_free(waits->all, TRUE);
    g_free(waits);
}

static gboolean
has_news(const GaJob *job, guint64 generation)
{
    return ga_job_is_concluded(job) || ga_job_seen(job)->generation > generation;
}

static void
on_over(GaCall *call, gpointer user_data)
{
    g_autofree Waiting *waiting = user_data;

    g_ptr_array_remove_fast(waiting->waits->all, waiting);
    novacron_job_wait_return(call, ga_job_seen(waiting->job));
}

void
ga_job_waits_add(GaJobWaits *waits, GaJob *job, GaCall *call, guint64 generation, guint ms)
{
    if (has_news(job, generation) || ms == 0) {
        novacron_job_wait_return(call, ga_job_seen(job));
        return;
    }

    Waiting *waiting = g_new(Waiting, 1);
    *waiting = (Waiting){ .waits = waits, .job = job, .call = call, .generation = generation };
    g_ptr_array_add(waits->all, waiting);
    waiting->wait = ga_wait_new(call, ms, on_over, waiting);
}

void
ga_job_waits_end(const GaJobWaits *waits, const GaJob *job)
{
    for (guint i = waits->all->len; i > 0; i--) {
        const Waiting *waiting = waits->all->pdata[i - 1];

        if (waiting->job == job && has_news(job, waiting->generation))
            ga_wait_end(waiting->wait);
    }
}

void
ga_job_waits_disappoint(GaJobWaits *waits, const GaJob *job)
{
    for (guint i = waits->all->len; i > 0; i--) {
        Waiting *waiting = waits->all->pdata[i - 1];
        GaCall *call = waiting->call;
        GError *error = NULL;

        if (waiting->job != job)
            continue;
        g_ptr_array_remove_index_fast(waits->all, i - 1);
        ga_wait_free(waiting->wait);
        g_free(waiting);
        ga_refuse(&error, GA_REFUSAL_NOT_FOUND, "job %s was dismissed", ga_job_seen(job)->id);
        ga_call_fail(call, error);
    }
}
