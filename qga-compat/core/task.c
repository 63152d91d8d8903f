/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tasks: a GThreadPool whose threads go away some seconds after the last task,
 * and an idle source of the default main context for each end of work.
 *
 * The pool is the one thing of the agent that is not passed around: threads
 * belong to the process, and GLib shares idle ones between its pools anyway.
 */
#include "core/task.h"

/* A task waits for a disk or a server, not for a processor; a session has one at most. Should
 * all of them hang (a server that is gone), further tasks wait and the loop goes on. */
#define THREADS_MAX 8

/* Between attempts to make a thread where the limit of processes is reached. */
#define RETRY_SECONDS 1

typedef struct {
    void (*work)(gpointer data);
    void (*done)(gpointer data);
    gpointer data;
} Task;

static gboolean
on_done(gpointer user_data)
{
    Task *task = user_data;

    task->done(task->data);
    return G_SOURCE_REMOVE;
}

static void
run(gpointer data, G_GNUC_UNUSED gpointer user_data)
{
    Task *task = data;

    task->work(task->data);
    /* Not g_main_context_invoke(): that would run it here when the loop is between two turns. */
    g_idle_add_full(G_PRIORITY_DEFAULT, on_done, task, g_free);
}

static gpointer
make_pool(G_GNUC_UNUSED gpointer user_data)
{
    return g_thread_pool_new(run, NULL, THREADS_MAX, FALSE, NULL);
}

/* No thread could be had for a task. The pool itself would look again when the next one comes. */
static gboolean
make_threads(gpointer user_data)
{
    return !g_thread_pool_set_max_threads(user_data, THREADS_MAX, NULL);
}

void
ga_task_run(void (*work)(gpointer data), void (*done)(gpointer data), gpointer data)
{
    static GOnce pool = G_ONCE_INIT;
    g_autoptr(GError) error = NULL;
    Task *task = g_new(Task, 1);

    *task = (Task){ work, done, data };
    g_once(&pool, make_pool, NULL);
    if (!g_thread_pool_push(pool.retval, task, &error)) {
        g_warning("no new thread, a task waits: %s", error->message);
        g_timeout_add_seconds(RETRY_SECONDS, make_threads, pool.retval);
    }
}

static gpointer
run_apart(gpointer data)
{
    run(data, NULL);
    return NULL;
}

static gboolean
try_apart(Task *task, GError **error)
{
    g_autoptr(GThread) thread = g_thread_try_new("task", run_apart, task, error);

    return thread != NULL;
}

void
ga_task_run_apart(void (*work)(gpointer data), void (*done)(gpointer data), gpointer data)
{
    Task *task = g_new(Task, 1);

    *task = (Task){ work, done, data };
    if (!try_apart(task, NULL))
        run(task, NULL);
}

static gboolean
retry(gpointer user_data)
{
    return !try_apart(user_data, NULL);
}

void
ga_task_run_patiently(void (*work)(gpointer data), void (*done)(gpointer data), gpointer data)
{
    g_autoptr(GError) error = NULL;
    Task *task = g_new(Task, 1);

    *task = (Task){ work, done, data };
    if (try_apart(task, &error))
        return;
    g_warning("no new thread, a task waits: %s", error->message);
    g_timeout_add_seconds(RETRY_SECONDS, retry, task);
}
