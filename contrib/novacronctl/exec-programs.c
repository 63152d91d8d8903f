/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The programs that an agent has: those that run, and those whose end nobody has seen yet. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "novacronctl/exec.h"
#include "novacronctl/output.h"
#include "novacronctl/rows.h"
#include "novacronctl/table.h"

#define DEFAULT_SIGNAL "TERM"

static char *
describe_state(const NovacronExec *exec)
{
    if (exec->running)
        return g_strdup("running");
    if (exec->timed_out)
        return g_strdup("timed out");
    if (exec->out_of_memory)
        return g_strdup("out of memory");
    if (exec->has_signal)
        return g_strdup_printf("signal %" G_GINT64_FORMAT, exec->signal);
    return g_strdup_printf("exit %" G_GINT64_FORMAT, exec->exit_code);
}

/* As it could be typed again, unless a word itself has quotes. */
static char *
describe_words(const GPtrArray *argv)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < argv->len; i++) {
        const char *word = argv->pdata[i];
        gboolean is_plain = *word && !strpbrk(word, " \t\n\"'\\$`&|;<>()*?[]#~");
        g_autofree char *quoted = is_plain ? g_strdup(word) : g_shell_quote(word);
        g_string_append_printf(text, "%s%s", i > 0 ? " " : "", quoted);
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static gboolean
print_programs(const Subcommand *subcommand, const GPtrArray *programs, GError **error)
{
    static const char *const headings[] = { "ID", "PID", "STATE", "STARTED", "PROGRAM" };
    g_autoptr(Table)
        table = table_new(headings, G_N_ELEMENTS(headings), subcommand->options->columns, error);

    if (!table)
        return FALSE;
    table_cut(table);
    for (guint i = 0; i < programs->len; i++) {
        const NovacronExec *exec = programs->pdata[i];
        table_add(table, exec->id);
        table_take(table, g_strdup_printf("%" G_GINT64_FORMAT, exec->pid));
        table_take(table, describe_state(exec));
        table_take(table, output_time(exec->started_ns));
        table_take(table, describe_words(exec->argv));
    }
    table_print(table);
    return TRUE;
}

static gboolean
ask(QgaClient *client, const NovacronPage *page, G_GNUC_UNUSED gconstpointer data,
    NovacronTable **ret_table, GError **error)
{
    return qga_novacron_exec_list(client, page, ret_table, error);
}

int
exec_list(const Subcommand *subcommand, GError **error)
{
    static const QapiType type = {
        .name = "programs",
        .kind = QAPI_KIND_LIST,
        .element = &novacron_exec_type,
    };
    GPtrArray *programs = rows_read(subcommand->client, &type, ask, NULL, error);
    gboolean is_printed = TRUE;

    if (!programs)
        return -1;
    if (subcommand->options->as_json)
        output_result(&type, &programs);
    else
        is_printed = print_programs(subcommand, programs, error);
    qapi_free(&type, programs);
    return is_printed ? EXIT_SUCCESS : -1;
}

int
exec_kill(const Subcommand *subcommand, GError **error)
{
    const Options *options = subcommand->options;
    g_autofree char *name = g_strdup(options->signal ? options->signal : DEFAULT_SIGNAL);
    const NovacronExecSignalArgs args = { .id = options->kill, .signal = name };

    return qga_novacron_exec_signal(subcommand->client, &args, error) ? EXIT_SUCCESS : -1;
}

int
exec_close(const Subcommand *subcommand, GError **error)
{
    const NovacronExecCloseArgs args = { .id = subcommand->options->close };

    return qga_novacron_exec_close(subcommand->client, &args, error) ? EXIT_SUCCESS : -1;
}

int
exec_report_start(const Subcommand *subcommand, const NovacronExec *exec)
{
    if (subcommand->options->as_json) {
        output_result(&novacron_exec_type, &exec);
        return EXIT_SUCCESS;
    }
    g_autofree char *id = output_clean(exec->id);
    puts(id);
    return EXIT_SUCCESS;
}
