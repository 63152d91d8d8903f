/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The agent's jobs: list, wait, result, cancel, dismiss. */
#include <stdlib.h>
#include <string.h>

#include "novacronctl/jobs.h"
#include "novacronctl/output.h"
#include "novacronctl/rows.h"
#include "novacronctl/subcommand.h"
#include "novacronctl/table.h"

/* As long as the channel permits and we are patient. */
#define WAIT_MS 10000
#define PERCENT 100

static char *
describe_progress(const NovacronJobProgress *progress)
{
    if (!progress)
        return NULL;
    if (progress->total > 0)
        return g_strdup_printf("%.0f %%",
                               PERCENT * (gdouble)progress->current / (gdouble)progress->total);
    return g_strdup_printf("%" G_GUINT64_FORMAT " %s", progress->current, progress->unit);
}

static const char *
describe_status(const NovacronJob *job)
{
    return job->has_outcome ? novacron_job_outcome_type.values[job->outcome]
                            : novacron_job_status_type.values[job->status];
}

static gboolean
ask_jobs(QgaClient *client, const NovacronPage *page, G_GNUC_UNUSED gconstpointer data,
         NovacronTable **ret_table, GError **error)
{
    return qga_novacron_job_query(client, page, ret_table, error);
}

static gboolean
print_jobs(const Subcommand *subcommand, const GPtrArray *jobs, GError **error)
{
    static const char *const headings[] = { "ID",       "COMMAND", "STATUS",
                                            "PROGRESS", "CREATED", "ERROR" };
    g_autoptr(Table)
        table = table_new(headings, G_N_ELEMENTS(headings), subcommand->options->columns, error);

    if (!table)
        return FALSE;
    for (guint i = 0; i < jobs->len; i++) {
        const NovacronJob *job = jobs->pdata[i];
        table_add(table, job->id);
        table_add(table, job->command);
        table_add(table, describe_status(job));
        table_take(table, describe_progress(job->progress));
        table_take(table, output_time(job->created_ns));
        table_add(table, job->error ? job->error->desc : NULL);
    }
    table_print(table);
    return TRUE;
}

static int
list_jobs(const Subcommand *subcommand, G_GNUC_UNUSED const char *id, GError **error)
{
    static const QapiType type = { .name = "jobs",
                                   .kind = QAPI_KIND_LIST,
                                   .element = &novacron_job_type };
    GPtrArray *jobs = rows_read(subcommand->client, &type, ask_jobs, NULL, error);
    gboolean is_printed = TRUE;

    if (!jobs)
        return -1;
    if (subcommand->options->as_json)
        output_result(&type, &jobs);
    else
        is_printed = print_jobs(subcommand, jobs, error);
    qapi_free(&type, jobs);
    return is_printed ? EXIT_SUCCESS : -1;
}

/* Success is what every kind of success has in its name. */
static int
report_job(const Subcommand *subcommand, const NovacronJob *job)
{
    gboolean is_good = !job->has_outcome || job->outcome == NOVACRON_JOB_OUTCOME_SUCCESS ||
                       job->outcome == NOVACRON_JOB_OUTCOME_SUCCESS_REBOOT_REQUIRED;

    if (subcommand->options->as_json) {
        output_result(&novacron_job_type, &job);
        return is_good ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    g_autofree char *progress = describe_progress(job->progress);
    const OutputPair pairs[] = {
        { "Job", job->id },
        { "Command", job->command },
        { "Status", describe_status(job) },
        { "Progress", progress },
        { "Error", job->error ? job->error->desc : NULL },
    };
    output_pairs(pairs, G_N_ELEMENTS(pairs));
    return is_good ? EXIT_SUCCESS : EXIT_FAILURE;
}

static NovacronJob *
await_end(QgaClient *client, const char *id, Progress *progress, GCancellable *cancellable,
          const GPollFD *stop, GError **error)
{
    g_autofree char *own_id = g_strdup(id);
    NovacronJobWaitArgs args = {
        .id = own_id,
        .wait_ms = (guint32)MIN(qga_client_timeout(client) / 1000 / 2, WAIT_MS),
    };

    while (!g_cancellable_set_error_if_cancelled(cancellable, error)) {
        g_autoptr(NovacronJob) job = NULL;
        if (stop)
            qga_client_hurry(client, stop, 1);
        if (!qga_novacron_job_wait(client, &args, &job, error))
            return NULL;
        if (job->status == NOVACRON_JOB_STATUS_CONCLUDED)
            return g_steal_pointer(&job);
        args.has_generation = TRUE;
        args.generation = job->generation;
        if (!job->progress)
            continue;
        progress->total = (gint64)job->progress->total;
        progress_show(progress, (gint64)job->progress->current);
    }
    return NULL;
}

NovacronJob *
jobs_await(QgaClient *client, const char *id, Progress *progress, GCancellable *cancellable,
           GError **error)
{
    GPollFD fd;
    const GPollFD *stop = g_cancellable_make_pollfd(cancellable, &fd) ? &fd : NULL;
    NovacronJob *job = await_end(client, id, progress, cancellable, stop, error);

    if (stop)
        g_cancellable_release_fd(cancellable);
    return job;
}

static int
wait_for_job(const Subcommand *subcommand, const char *id, GError **error)
{
    Progress progress;

    qga_client_persist(subcommand->client, subcommand->options->reconnect);
    progress_start(&progress, 0);
    g_autoptr(NovacronJob) job = jobs_await(subcommand->client, id, &progress, NULL, error);
    progress_stop(&progress);
    return job ? report_job(subcommand, job) : -1;
}

static int
show_result(const Subcommand *subcommand, const char *id, GError **error)
{
    g_autofree char *own_id = g_strdup(id);
    const NovacronJobResultArgs args = { .id = own_id };
    g_autoptr(NovacronJobResult) result = NULL;

    if (!qga_novacron_job_result(subcommand->client, &args, &result, error))
        return -1;
    output_result(&novacron_job_result_type, &result);
    return EXIT_SUCCESS;
}

static int
cancel_job(const Subcommand *subcommand, const char *id, GError **error)
{
    g_autofree char *own_id = g_strdup(id);
    const NovacronJobCancelArgs args = { .id = own_id };
    g_autoptr(NovacronJob) job = NULL;

    if (!qga_novacron_job_cancel(subcommand->client, &args, &job, error))
        return -1;
    report_job(subcommand, job);
    return EXIT_SUCCESS;
}

static int
dismiss_job(const Subcommand *subcommand, const char *id, GError **error)
{
    g_autofree char *own_id = g_strdup(id);
    const NovacronJobDismissArgs args = { .id = own_id };

    return qga_novacron_job_dismiss(subcommand->client, &args, error) ? EXIT_SUCCESS : -1;
}

static const struct {
    const char *name;
    gboolean takes_id;
    int (*run)(const Subcommand *subcommand, const char *id, GError **error);
} verbs[] = {
    { "list", FALSE, list_jobs },     { "wait", TRUE, wait_for_job },
    { "result", TRUE, show_result },  { "cancel", TRUE, cancel_job },
    { "dismiss", TRUE, dismiss_job },
};

int
jobs_run(const Subcommand *subcommand, GError **error)
{
    const char *verb = subcommand->words[0] ? subcommand->words[0] : "list";
    const char *id = subcommand->words[0] ? subcommand->words[1] : NULL;

    for (gsize i = 0; i < G_N_ELEMENTS(verbs); i++)
        if (g_str_equal(verbs[i].name, verb) && verbs[i].takes_id == (id != NULL))
            return verbs[i].run(subcommand, id, error);
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                "usage: novacronctl jobs [list | wait ID | result ID | cancel ID | dismiss ID]");
    return -1;
}
