/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls settled by work on a thread. */
#include "core/work.h"

#include <check.h>

#include "runner.h"
#include "runtime/qapi-error.h"
#include "toy-agent.h"

typedef struct {
    gint64 number; /* to be answered; 0: fail */
    GThread *worked_on;
    gboolean is_freed;
} Job;

static gpointer
work(gpointer data, GError **error)
{
    Job *job = data;

    job->worked_on = g_thread_self();
    if (job->number == 0) {
        qapi_set_error(error, "no number");
        return NULL;
    }
    return g_memdup(&job->number, sizeof job->number);
}

static void
free_job(gpointer data)
{
    Job *job = data;

    ck_assert(g_main_context_is_owner(g_main_context_default()));
    job->is_freed = TRUE;
}

static char *
answer_of(Toy *toy, Job *job)
{
    g_autofree char *nothing = toy_ask(toy, "{\"execute\": \"toy-wait\"}\n");

    ck_assert_str_eq(nothing, "");
    ga_work_run(toy_take(toy), work, job, free_job);
    while (!job->is_freed)
        g_main_context_iteration(NULL, TRUE);
    ck_assert(job->worked_on != g_thread_self());
    return toy_received(toy->channel);
}

START_TEST(what_the_work_returns_is_the_answer)
{
    g_autoptr(Toy) toy = toy_new(NULL, NULL);
    Job job = { .number = 12 };
    g_autofree char *answer = answer_of(toy, &job);

    ck_assert_str_eq(answer, "{\"return\": 12}\n");
}
END_TEST

START_TEST(an_error_of_the_work_is_the_answer)
{
    g_autoptr(Toy) toy = toy_new(NULL, NULL);
    Job job = { .number = 0 };
    g_autofree char *answer = answer_of(toy, &job);

    ck_assert_str_eq(answer,
                     "{\"error\": {\"class\": \"GenericError\", \"desc\": \"no number\"}}\n");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("work");
    TCase *tcase = tcase_create("work");

    tcase_add_test(tcase, what_the_work_returns_is_the_answer);
    tcase_add_test(tcase, an_error_of_the_work_is_the_answer);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
