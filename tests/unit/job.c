/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Jobs of kinds of the test's own, followed by the commands of the real table. */
#include "extensions/job/job.h"

#include <glib/gstdio.h>
#include <string.h>

#include "core/event.h"
#include "extensions/job/jobs.h"
#include "runner.h"
#include "table-agent.h"

typedef struct {
    guint n_begins, n_cancels, n_frees;
} Work;

static Work work;
static TableAgent *table;

static void
begin_work(G_GNUC_UNUSED GaJob *job, gpointer data)
{
    ((Work *)data)->n_begins++;
}

static void
cancel_work(gpointer data)
{
    ((Work *)data)->n_cancels++;
}

static void
free_work(gpointer data)
{
    ((Work *)data)->n_frees++;
}

static const GaJobKind reading = { .command = "novacron-read",
                                   .area = "test",
                                   .unit = "bytes",
                                   .result = &qapi_type_int64,
                                   .begin = begin_work,
                                   .cancel = cancel_work,
                                   .free = free_work };
static const GaJobKind stubborn = { .command = "novacron-stubborn",
                                    .area = "test",
                                    .unit = "bytes",
                                    .begin = begin_work,
                                    .free = free_work };
static const GaJobKind writing = { .command = "novacron-write",
                                   .area = "test",
                                   .unit = "bytes",
                                   .changes_guest = TRUE,
                                   .begin = begin_work,
                                   .cancel = cancel_work,
                                   .free = free_work };
static const GaJobKind hasty = { .command = "novacron-hasty",
                                 .area = "test",
                                 .unit = "bytes",
                                 .deadline_ms = 20,
                                 .begin = begin_work,
                                 .cancel = cancel_work,
                                 .free = free_work };

static void
setup(void)
{
    work = (Work){ 0 };
    table = table_agent_new();
}

static void
remove_records(const char *data)
{
    g_autofree char *jobs = g_build_filename(data, "jobs", NULL);
    g_autoptr(GDir) directory = g_dir_open(jobs, 0, NULL);
    const char *name;

    while (directory && (name = g_dir_read_name(directory))) {
        g_autofree char *path = g_build_filename(jobs, name, NULL);
        g_unlink(path);
    }
    g_rmdir(jobs);
    g_rmdir(data);
}

/* The agent finishes its records first. */
static void
teardown(void)
{
    g_autofree char *data = g_strdup(table->config->data_directory);
    g_autofree char *folder = g_path_get_dirname(data);

    table_agent_free(table);
    remove_records(data);
    g_rmdir(folder);
    ck_assert(!g_file_test(folder, G_FILE_TEST_EXISTS));
}

static GaJob *
start(const GaJobKind *kind, const char *request_id)
{
    GaJob *job = ga_job_start(table->agent, kind, request_id, &work, NULL);

    ck_assert_ptr_nonnull(job);
    return job;
}

static void
wait_for_status(const GaJob *job, NovacronJobStatus status)
{
    while (ga_job_seen(job)->status != status)
        g_main_context_iteration(NULL, TRUE);
}

/* One that changes the guest, when it has begun. */
static GaJob *
start_on_record(const GaJobKind *kind, const char *request_id)
{
    GaJob *job = start(kind, request_id);

    wait_for_status(job, NOVACRON_JOB_STATUS_RUNNING);
    return job;
}

static char *
ask(const char *command, const GaJob *job, const char *more)
{
    g_autofree char *request = g_strdup_printf("{\"execute\": \"novacron-job-%s\", "
                                               "\"arguments\": {\"id\": \"%s\"%s}}",
                                               command, ga_job_seen(job)->id, more);
    return table_agent_ask(table, request);
}

static void
assert_has(char *answer /* (transfer full) */, const char *expected)
{
    ck_assert_msg(strstr(answer, expected), "no %s in %s", expected, answer);
    g_free(answer);
}

START_TEST(a_job_runs_progresses_and_concludes_with_a_result)
{
    GaJob *job = start(&reading, NULL);
    gint64 result = 77;

    assert_has(ask("wait", job, ", \"wait-ms\": 0"), "\"status\": \"running\"");
    assert_has(ask("result", job, ""), "busy: job ");
    ga_job_progress(job, 50, 100, "reading");
    assert_has(ask("wait", job, ", \"wait-ms\": 0"), "\"current\": 50");
    ga_job_conclude(job, NOVACRON_JOB_OUTCOME_SUCCESS, &result);
    ck_assert_uint_eq(work.n_frees, 1);
    assert_has(ask("wait", job, ", \"wait-ms\": 10000"), "\"outcome\": \"success\"");
    assert_has(ask("result", job, ""), "\"result\": 77");
    assert_has(ask("result", job, ""), "\"result\": 77");
}
END_TEST

START_TEST(a_request_that_is_repeated_finds_its_job)
{
    GaJob *job = start(&reading, "mine");

    ck_assert_ptr_eq(start(&reading, "mine"), job);
    ck_assert_uint_eq(work.n_frees, 1);
    ck_assert_ptr_ne(start(&reading, "yours"), job);
    ck_assert_ptr_ne(start(&stubborn, "mine"), job);
}
END_TEST

START_TEST(a_client_can_wait_for_a_change)
{
    GaJob *job = start(&reading, NULL);
    g_autofree char *request = g_strdup_printf(
        "{\"execute\": \"novacron-job-wait\", \"arguments\": {\"id\": \"%s\", "
        "\"generation\": %" G_GUINT64_FORMAT ", \"wait-ms\": 10000}}",
        ga_job_seen(job)->id, ga_job_seen(job)->generation);

    table_agent_send(table, request);
    ck_assert_str_eq(table_agent_received(table), "");
    ga_job_progress(job, 1, 2, NULL);
    while (g_main_context_iteration(NULL, FALSE))
        ;
    ck_assert(strstr(table_agent_received(table), "\"current\": 1"));
}
END_TEST

START_TEST(cancelling_asks_once_and_the_work_concludes)
{
    GaJob *job = start(&reading, NULL);
    GError *error = NULL;

    assert_has(ask("cancel", job, ""), "\"status\": \"aborting\"");
    assert_has(ask("cancel", job, ""), "\"status\": \"aborting\"");
    ck_assert_uint_eq(work.n_cancels, 1);
    ga_refuse(&error, GA_REFUSAL_CANCELLED, "stopped");
    ga_job_fail(job, GA_REFUSAL_CANCELLED, error);
    assert_has(ask("cancel", job, ""), "\"outcome\": \"cancelled\"");
    assert_has(ask("cancel", start(&stubborn, NULL), ""), "unsupported: job ");
}
END_TEST

START_TEST(a_job_that_takes_too_long_has_failed_with_timeout)
{
    GaJob *job = start(&hasty, NULL);
    GError *error = NULL;

    while (work.n_cancels == 0)
        g_main_context_iteration(NULL, TRUE);
    ga_refuse(&error, GA_REFUSAL_FAILED, "whatever");
    ga_job_fail(job, GA_REFUSAL_FAILED, error);
    assert_has(ask("wait", job, ", \"wait-ms\": 0"), "\"code\": \"timeout\"");
}
END_TEST

START_TEST(only_what_has_concluded_is_dismissed)
{
    GaJob *job = start(&reading, NULL);

    assert_has(ask("dismiss", job, ""), "busy: job ");
    ga_job_conclude(job, NOVACRON_JOB_OUTCOME_SUCCESS, NULL);
    assert_has(ask("result", job, ""), "not-found: job ");
    assert_has(ask("dismiss", job, ""), "{\"return\": {}}");
    assert_has(table_agent_ask(table, "{\"execute\": \"novacron-job-query\"}"), "\"rows\": []");
}
END_TEST

/* Jobs since the generation that an answer has, or all. */
static char *
query(const char *since)
{
    g_autofree char *arguments = since ? g_strdup_printf("\"since\": \"%s\"", since) : g_strdup("");
    g_autofree char *request = g_strdup_printf(
        "{\"execute\": \"novacron-job-query\", \"arguments\": {%s}}", arguments);

    return table_agent_ask(table, request);
}

START_TEST(a_query_tells_what_has_changed_since)
{
    static const char word[] = "\"generation\": \"";
    GaJob *first = start(&reading, NULL), *second = start(&reading, NULL);
    g_autofree char *all = query(NULL);
    const char *found = strstr(all, word);
    g_autofree char *generation = g_strndup(found + strlen(word), 16);

    assert_has(query(generation), "{\"rows\": [], \"generation\": ");
    ga_job_progress(first, 1, 2, NULL);
    g_autofree char *answer = query(generation);
    ck_assert(strstr(answer, ga_job_seen(first)->id));
    ck_assert_ptr_null(strstr(answer, ga_job_seen(second)->id));
}
END_TEST

START_TEST(one_job_at_a_time_changes_an_area)
{
    GError *error = NULL;
    GaJob *job = start_on_record(&writing, NULL);

    ck_assert_ptr_null(ga_job_start(table->agent, &writing, NULL, &work, &error));
    ck_assert(g_str_has_prefix(error->message, "busy: job "));
    g_clear_error(&error);
    start(&reading, NULL);
    ga_job_conclude(job, NOVACRON_JOB_OUTCOME_SUCCESS, NULL);
    start(&writing, NULL);
}
END_TEST

static guint
count_records_with(const char *text)
{
    g_autofree char *folder = g_build_filename(table->config->data_directory, "jobs", NULL);
    g_autoptr(GDir) directory = g_dir_open(folder, 0, NULL);
    const char *name;
    guint n = 0;

    while ((name = g_dir_read_name(directory))) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_autofree char *record = NULL;

        ck_assert(g_file_get_contents(path, &record, NULL, NULL));
        n += strstr(record, text) != NULL;
    }
    return n;
}

/* The next agent, with the records of this one. */
static void
restart(void)
{
    TableAgent *next = table_agent_new();

    g_free(next->config->data_directory);
    next->config->data_directory = g_strdup(table->config->data_directory);
    table_agent_free(table);
    table = next;
}

static guint
count_jobs(void)
{
    return ga_jobs_list(ga_jobs_of(table->agent))->len;
}

START_TEST(what_a_restart_cut_short_has_failed)
{
    start_on_record(&writing, "cut");
    ga_job_conclude(start(&reading, "gone"), NOVACRON_JOB_OUTCOME_SUCCESS, NULL);
    restart();
    g_autofree char *answer = query(NULL);

    ck_assert(strstr(answer, "\"code\": \"interrupted\""));
    ck_assert(strstr(answer, "\"cut\""));
    ck_assert_ptr_null(strstr(answer, "\"gone\""));
}
END_TEST

START_TEST(what_changes_the_guest_is_on_record_before_it_begins_and_when_it_is_over)
{
    GaJob *job = start(&writing, NULL);

    ck_assert_int_eq(ga_job_seen(job)->status, NOVACRON_JOB_STATUS_CREATED);
    ck_assert_uint_eq(work.n_begins, 0);
    wait_for_status(job, NOVACRON_JOB_STATUS_RUNNING);
    ck_assert_uint_eq(work.n_begins, 1);
    ck_assert_uint_eq(count_records_with("\"status\": \"created\""), 1);

    ga_job_conclude(job, NOVACRON_JOB_OUTCOME_SUCCESS, NULL);
    ck_assert_uint_eq(work.n_frees, 1);
    assert_has(ask("wait", job, ", \"wait-ms\": 0"), "\"status\": \"pending-finalize\"");
    ck_assert(!ga_job_seen(job)->has_outcome);
    wait_for_status(job, NOVACRON_JOB_STATUS_CONCLUDED);
    ck_assert_uint_eq(count_records_with("\"outcome\": \"success\""), 1);
    assert_has(ask("dismiss", job, ""), "{\"return\": {}}");
    while (count_records_with("") > 0)
        g_main_context_iteration(NULL, TRUE);
}
END_TEST

START_TEST(without_a_record_nothing_is_begun)
{
    ck_assert(g_file_set_contents(table->config->data_directory, "", 0, NULL));
    GaJob *job = start(&writing, NULL);
    wait_for_status(job, NOVACRON_JOB_STATUS_CONCLUDED);
    assert_has(ask("wait", job, ", \"wait-ms\": 0"), "the record of the job cannot be written to");
    ck_assert_int_eq(ga_job_seen(job)->outcome, NOVACRON_JOB_OUTCOME_FAILED);
    ck_assert_uint_eq(work.n_begins, 0);
    ck_assert_uint_eq(work.n_frees, 1);
    g_unlink(table->config->data_directory);
}
END_TEST

START_TEST(what_is_cancelled_before_it_has_begun_never_begins)
{
    GaJob *job = start(&writing, NULL);

    assert_has(ask("cancel", job, ""), "\"status\": \"aborting\"");
    wait_for_status(job, NOVACRON_JOB_STATUS_CONCLUDED);
    ck_assert_int_eq(ga_job_seen(job)->outcome, NOVACRON_JOB_OUTCOME_CANCELLED);
    ck_assert_uint_eq(work.n_begins + work.n_cancels, 0);
    ck_assert_uint_eq(count_records_with("\"outcome\": \"cancelled\""), 1);
}
END_TEST

START_TEST(nothing_is_recorded_while_file_systems_are_frozen)
{
    GaGate *gate = ga_agent_gate(table->agent);
    GaJob *job = start_on_record(&writing, NULL);

    ga_gate_set_frozen(gate, TRUE);
    ga_job_conclude(job, NOVACRON_JOB_OUTCOME_SUCCESS, NULL);
    GaJob *other = start(&writing, NULL);
    g_usleep(300 * 1000);
    while (g_main_context_iteration(NULL, FALSE))
        ;
    ck_assert_int_eq(ga_job_seen(job)->status, NOVACRON_JOB_STATUS_PENDING_FINALIZE);
    ck_assert_int_eq(ga_job_seen(other)->status, NOVACRON_JOB_STATUS_CREATED);
    ck_assert_uint_eq(count_records_with("concluded"), 0);
    ga_gate_set_frozen(gate, FALSE);
    wait_for_status(other, NOVACRON_JOB_STATUS_RUNNING);
    ck_assert(ga_job_is_concluded(job));
    ck_assert_uint_eq(count_records_with("concluded"), 1);
}
END_TEST

START_TEST(every_status_is_told_as_an_event)
{
    static const NovacronJobStatus expected[] = {
        NOVACRON_JOB_STATUS_CREATED, NOVACRON_JOB_STATUS_RUNNING, NOVACRON_JOB_STATUS_ABORTING,
        NOVACRON_JOB_STATUS_PENDING_FINALIZE, NOVACRON_JOB_STATUS_CONCLUDED
    };
    const GaEvents *events = ga_events_of(table->agent);
    GaJob *job = start_on_record(&writing, NULL);

    g_free(ask("cancel", job, ""));
    ga_job_conclude(job, NOVACRON_JOB_OUTCOME_PARTIAL, NULL);
    wait_for_status(job, NOVACRON_JOB_STATUS_CONCLUDED);
    ck_assert_uint_eq(ga_events_last(events), 1 + G_N_ELEMENTS(expected));
    for (guint i = 0; i < G_N_ELEMENTS(expected); i++) {
        const GaEvent *event = ga_events_get(events, i + 2);

        ck_assert_str_eq(event->id, ga_job_seen(job)->id);
        ck_assert_int_eq(event->status, expected[i]);
    }
    ck_assert_int_eq(ga_events_get(events, 6)->outcome, NOVACRON_JOB_OUTCOME_CANCELLED);
}
END_TEST

START_TEST(what_is_dismissed_stays_away)
{
    GaJob *job = start_on_record(&writing, NULL);

    ga_job_conclude(job, NOVACRON_JOB_OUTCOME_SUCCESS, NULL);
    wait_for_status(job, NOVACRON_JOB_STATUS_CONCLUDED);
    g_free(ask("dismiss", job, ""));
    restart();
    ck_assert_uint_eq(count_jobs(), 0);
}
END_TEST

/* Also if the agent ends while that is written. */
START_TEST(what_has_ended_was_not_cut_short)
{
    ga_job_conclude(start_on_record(&writing, NULL), NOVACRON_JOB_OUTCOME_SUCCESS, NULL);
    restart();
    ck_assert_uint_eq(count_jobs(), 1);
    ck_assert_uint_eq(count_records_with("\"outcome\": \"success\""), 1);
}
END_TEST

START_TEST(an_id_is_not_given_again_after_a_restart)
{
    GaJob *job = start_on_record(&writing, NULL);
    g_autofree char *id = g_strdup(ga_job_seen(job)->id);

    restart();
    ck_assert_str_ne(ga_job_seen(start(&writing, NULL))->id, id);
}
END_TEST

START_TEST(jobs_of_no_area_do_not_meet)
{
    static const GaJobKind kind = { .command = "novacron-any",
                                    .unit = "bytes",
                                    .changes_guest = TRUE,
                                    .begin = begin_work,
                                    .free = free_work };

    start(&writing, NULL);
    start(&kind, NULL);
    start(&kind, NULL);
}
END_TEST

START_TEST(the_eldest_that_are_over_make_room)
{
    for (guint i = 0; i < 70; i++)
        ga_job_conclude(start(&reading, NULL), NOVACRON_JOB_OUTCOME_SUCCESS, NULL);
    g_autofree char *answer = table_agent_ask(
        table, "{\"execute\": \"novacron-job-query\", \"arguments\": {\"columns\": [\"id\"]}}");
    guint n = 0;

    for (const char *at = answer; (at = strstr(at, "-")); at++)
        n++;
    ck_assert_uint_eq(n, 64);
}
END_TEST

START_TEST(there_are_not_more_than_can_run)
{
    GError *error = NULL;

    for (guint i = 0; i < 32; i++)
        start(&reading, NULL);
    ck_assert_ptr_null(ga_job_start(table->agent, &reading, NULL, &work, &error));
    ck_assert(g_str_has_prefix(error->message, "busy: 32 jobs"));
    g_clear_error(&error);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("job");
    TCase *tests = tcase_create("job");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_job_runs_progresses_and_concludes_with_a_result);
    tcase_add_test(tests, a_request_that_is_repeated_finds_its_job);
    tcase_add_test(tests, a_client_can_wait_for_a_change);
    tcase_add_test(tests, cancelling_asks_once_and_the_work_concludes);
    tcase_add_test(tests, a_job_that_takes_too_long_has_failed_with_timeout);
    tcase_add_test(tests, only_what_has_concluded_is_dismissed);
    tcase_add_test(tests, a_query_tells_what_has_changed_since);
    tcase_add_test(tests, one_job_at_a_time_changes_an_area);
    tcase_add_test(tests, what_a_restart_cut_short_has_failed);
    tcase_add_test(tests, what_changes_the_guest_is_on_record_before_it_begins_and_when_it_is_over);
    tcase_add_test(tests, without_a_record_nothing_is_begun);
    tcase_add_test(tests, what_is_cancelled_before_it_has_begun_never_begins);
    tcase_add_test(tests, every_status_is_told_as_an_event);
    tcase_add_test(tests, nothing_is_recorded_while_file_systems_are_frozen);
    tcase_add_test(tests, what_is_dismissed_stays_away);
    tcase_add_test(tests, what_has_ended_was_not_cut_short);
    tcase_add_test(tests, an_id_is_not_given_again_after_a_restart);
    tcase_add_test(tests, jobs_of_no_area_do_not_meet);
    tcase_add_test(tests, the_eldest_that_are_over_make_room);
    tcase_add_test(tests, there_are_not_more_than_can_run);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
