/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Jobs in steps. */
#include "file/steps.h"

#include "core/task.h"

typedef struct {
    const GaStepsClass *class;
    gpointer work;
    GaJob *job; /* NULL: it is over, or the agent ends */
    GaStepProgress progress;
    GaStep outcome; /* of the last step */
    GError *error;
    gboolean is_cancelled;
    gboolean is_on_thread;
} Steps;

static void
destroy(Steps *steps)
{
    steps->class->free(steps->work);
    g_clear_error(&steps->error);
    g_free(steps);
}

/* What a thread works with is left to the end of its step. */
void
ga_steps_free(gpointer data)
{
    Steps *steps = data;

    steps->job = NULL;
    if (!steps->is_on_thread)
        destroy(steps);
}

void
ga_steps_cancel(gpointer data)
{
    Steps *steps = data;

    steps->is_cancelled = TRUE;
}

static void
run(gpointer data)
{
    Steps *steps = data;

    steps->outcome = steps->class->step(steps->work, &steps->progress, &steps->error);
}

static void
end(Steps *steps, NovacronJobOutcome outcome)
{
    gconstpointer result = steps->class->result(steps->work);

    ga_job_conclude(steps->job, outcome, &result);
}

static void
end_failed(Steps *steps)
{
    GaRefusal code = ga_refusal_of(steps->error);

    ga_job_fail(steps->job, code, g_steal_pointer(&steps->error));
}

static void
end_cancelled(Steps *steps)
{
    GError *error = NULL;

    if (steps->class->is_partial) {
        end(steps, NOVACRON_JOB_OUTCOME_PARTIAL);
        return;
    }
    ga_refuse(&error, GA_REFUSAL_CANCELLED, "a client has cancelled it");
    ga_job_fail(steps->job, GA_REFUSAL_CANCELLED, error);
}

static void next(Steps *steps);

static void
done(gpointer data)
{
    Steps *steps = data;

    steps->is_on_thread = FALSE;
    if (!steps->job)
        destroy(steps);
    else if (steps->outcome == GA_STEP_FAILED)
        end_failed(steps);
    else if (steps->outcome == GA_STEP_DONE)
        end(steps, NOVACRON_JOB_OUTCOME_SUCCESS);
    else if (steps->is_cancelled)
        end_cancelled(steps);
    else {
        ga_job_progress(steps->job, steps->progress.current, steps->progress.total,
                        steps->progress.phase);
        next(steps);
    }
}

static void
next(Steps *steps)
{
    steps->is_on_thread = TRUE;
    /* Not in the pool: a client can start more jobs on a file system that hangs than it has. */
    ga_task_run_patiently(run, done, steps);
}

void
ga_steps_begin(GaJob *job, gpointer data)
{
    Steps *steps = data;

    steps->job = job;
    next(steps);
}

void
ga_steps_start(GaCall *call, const GaJobKind *kind, const GaStepsClass *class,
               const char *request_id, gpointer work)
{
    GError *error = NULL;
    Steps *steps = g_new0(Steps, 1);

    steps->class = class;
    steps->work = work;
    const GaJob *job = ga_job_start(ga_call_agent(call), kind, request_id, steps, &error);
    if (!job) {
        ga_call_fail(call, error);
        return;
    }
    const NovacronJob *seen = ga_job_seen(job);
    ga_call_return(call, &seen);
}
