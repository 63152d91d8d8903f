/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the options of exec to a program that novacron-exec-start has started. */
#include "novacronctl/exec.h"
#include "novacronctl/size.h"
#include "novacronctl/terminal.h"

static gboolean
read_limits(const Options *options, NovacronExecLimits *limits, GError **error)
{
    limits->has_memory_bytes = options->memory != NULL;
    limits->has_processes = options->processes > 0;
    limits->processes = (guint32)options->processes;
    limits->has_cpu_percent = options->cpu > 0;
    limits->cpu_percent = (guint32)options->cpu;
    return !options->memory ||
           size_parse("--memory", options->memory, &limits->memory_bytes, error);
}

NovacronExec *
exec_start(const Subcommand *subcommand, GPtrArray *argv, GError **error)
{
    const Options *options = subcommand->options;
    /* A program that nobody may ever look after goes on; one of ours waits for us. */
    gboolean holds = !options->detach || options->hold;
    g_autofree char *request_id = g_uuid_string_random();
    NovacronExecTerminal terminal = { 0 };
    NovacronExecLimits limits = { 0 };
    guint64 room = 0;

    if (!read_limits(options, &limits, error) ||
        (options->buffer && !size_parse("--buffer", options->buffer, &room, error)))
        return NULL;
    terminal_size(&terminal.columns, &terminal.rows);

    const NovacronExecStartArgs args = {
        .argv = argv,
        .directory = options->directory,
        .user = options->user,
        .group = options->group,
        .terminal = options->with_terminal ? &terminal : NULL,
        .has_input = TRUE,
        .input = options->with_input || options->with_terminal,
        .has_timeout_ms = options->time_limit > 0,
        .timeout_ms = (guint32)MIN(options->time_limit * 1000, (gdouble)G_MAXUINT32),
        .has_output_bytes = options->buffer != NULL,
        .output_bytes = (guint32)MIN(room, G_MAXUINT32),
        .has_overflow = TRUE,
        .overflow = holds ? NOVACRON_EXEC_OVERFLOW_HOLD : NOVACRON_EXEC_OVERFLOW_DROP,
        .limits = options->memory || options->cpu || options->processes ? &limits : NULL,
        .request_id = request_id,
    };
    NovacronExec *exec = NULL;
    return qga_novacron_exec_start(subcommand->client, &args, &exec, error) ? exec : NULL;
}
