/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Work: a task that settles a call. */
#include "core/work.h"

#include "core/task.h"

typedef struct {
    GaCall *call;
    GaWorkFunc func;
    gpointer data;
    GDestroyNotify free_data;
    gpointer result;
    GError *error;
} Work;

static void
run(gpointer data)
{
    Work *work = data;

    work->result = work->func(work->data, &work->error);
}

static void
done(gpointer data)
{
    Work *work = data;

    if (work->error)
        ga_call_fail(work->call, work->error);
    else
        ga_call_return_full(work->call, work->result);
    if (work->free_data)
        work->free_data(work->data);
    g_free(work);
}

void
ga_work_run(GaCall *call, GaWorkFunc func, gpointer data, GDestroyNotify free_data)
{
    Work *work = g_new0(Work, 1);

    *work = (Work){ .call = call, .func = func, .data = data, .free_data = free_data };
    ga_task_run(run, done, work);
}
