/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tasks where no thread is to be had: in a child without privileges, whose limits are its own. */
#include "core/task.h"

#include <check.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runner.h"

#define NOBODY 65534
#define PATIENCE_SECONDS 20

static void
work(G_GNUC_UNUSED gpointer data)
{
}

static void
done(gpointer data)
{
    *(gboolean *)data = TRUE;
}

static void
allow_threads(rlim_t number)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NPROC, &limit);
    limit.rlim_cur = MIN(number, limit.rlim_max);
    setrlimit(RLIMIT_NPROC, &limit);
}

static gboolean
lose_patience(G_GNUC_UNUSED gpointer data)
{
    _exit(EXIT_FAILURE);
}

typedef void (*Runner)(void (*work)(gpointer data), void (*done)(gpointer data), gpointer data);

/* Not before: the work may hang. */
static void
run_task_without_threads(Runner runner)
{
    gboolean is_done = FALSE;

    if (geteuid() == 0 && setuid(NOBODY) != 0)
        _exit(EXIT_FAILURE);
    allow_threads(0);
    runner(work, done, &is_done);
    if (g_main_context_iteration(NULL, FALSE))
        _exit(EXIT_FAILURE);
    allow_threads(RLIM_INFINITY);

    g_timeout_add_seconds(PATIENCE_SECONDS, lose_patience, NULL);
    while (!is_done)
        g_main_context_iteration(NULL, TRUE);
    _exit(EXIT_SUCCESS);
}

static void
expect_patience(Runner runner)
{
    pid_t child = fork();
    gint status;

    if (child == 0)
        run_task_without_threads(runner);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), EXIT_SUCCESS);
}

START_TEST(a_task_runs_as_soon_as_there_are_threads)
{
    expect_patience(ga_task_run);
}
END_TEST

START_TEST(so_does_a_patient_one_apart)
{
    expect_patience(ga_task_run_patiently);
}
END_TEST

static void
wait_for_flag(gpointer data)
{
    while (!g_atomic_int_get((gint *)data))
        g_usleep(1000);
}

static void
count(gpointer data)
{
    ++*(guint *)data;
}

static void
nothing(G_GNUC_UNUSED gpointer data)
{
}

static void
set_flag(gpointer data)
{
    g_atomic_int_set((gint *)data, TRUE);
}

/* As a thaw runs that all others wait for. */
START_TEST(a_task_apart_waits_for_no_other)
{
    enum { MANY = 100 };
    gint flag = FALSE;
    guint n_done = 0;

    for (guint i = 0; i < MANY; i++)
        ga_task_run(wait_for_flag, nothing, &flag);
    ga_task_run_apart(set_flag, nothing, &flag);
    wait_for_flag(&flag);
    ga_task_run(nothing, count, &n_done);
    while (n_done == 0)
        g_main_context_iteration(NULL, TRUE);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("task");
    TCase *tests = tcase_create("task");

    tcase_add_test(tests, a_task_runs_as_soon_as_there_are_threads);
    tcase_add_test(tests, so_does_a_patient_one_apart);
    tcase_add_test(tests, a_task_apart_waits_for_no_other);
    tcase_set_timeout(tests, 3 * PATIENCE_SECONDS);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
