/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs a program in the guest, in the best way that its agent has. */
#include "novacronctl/exec.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "novacronctl/output.h"
#include "novacronctl/refusal.h"
#include "runtime/qapi-error.h"

#define STATUS_OF_SIGNAL 128
#define STATUS_MAX 255

#define DEFAULT_TERM "xterm"

int
exec_exit_status(gboolean by_signal, gint64 signal, gint64 code)
{
    gint64 status = by_signal ? STATUS_OF_SIGNAL + signal : code;

    return status < 0 || status > STATUS_MAX ? STATUS_MAX : (int)status;
}

int
exec_report(const GuestExecStatus *status)
{
    output_result(&guest_exec_status_type, &status);
    return exec_exit_status(status->has_signal, status->signal, status->exitcode);
}

static gboolean
check_utf8(const char *const *words, GError **error)
{
    for (guint i = 0; words && words[i]; i++) {
        if (g_utf8_validate(words[i], -1, NULL))
            continue;
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "argument %u is not UTF-8, which is all that can be sent", i);
        return FALSE;
    }
    return TRUE;
}

/* Agents can only replace the whole environment, which nobody here knows: env(1) adds to it. A
 * program with a terminal wants to know which. */
static GPtrArray *
make_argv(const Subcommand *subcommand)
{
    const Options *options = subcommand->options;
    GPtrArray *argv = g_ptr_array_new_with_free_func(g_free);
    const char *term = g_getenv("TERM");

    if (options->with_terminal || options->environment)
        g_ptr_array_add(argv, g_strdup("env"));
    if (options->with_terminal)
        g_ptr_array_add(argv, g_strconcat("TERM=", term ? term : DEFAULT_TERM, NULL));
    for (char **variable = options->environment; variable && *variable; variable++)
        g_ptr_array_add(argv, g_strdup(*variable));
    for (guint i = 0; subcommand->words[i]; i++)
        g_ptr_array_add(argv, g_strdup(subcommand->words[i]));
    return argv;
}

static gboolean
check_environment(char **variables, GError **error)
{
    for (; variables && *variables; variables++) {
        const char *equals = strchr(*variables, '=');
        if (equals && equals != *variables)
            continue;
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "--env takes NAME=VALUE");
        return FALSE;
    }
    return TRUE;
}

static gboolean
needs_streams(const Options *options)
{
    return options->with_terminal || options->user || options->group || options->directory ||
           options->time_limit > 0 || options->memory || options->cpu || options->processes ||
           options->buffer || options->detach;
}

/* With the program's streams, unless the agent does not have, or not allow, what that takes: then
 * nothing was done. */
static int
run_with_streams(const Subcommand *subcommand, GPtrArray *argv, gboolean *ret_refused,
                 GError **error)
{
    g_autoptr(GError) local = NULL;
    g_autoptr(NovacronExec) exec = exec_start(subcommand, argv, &local);

    *ret_refused = g_error_matches(local, QAPI_ERROR, QAPI_ERROR_COMMAND_NOT_FOUND);
    if (!exec) {
        g_propagate_error(error, g_steal_pointer(&local));
        return -1;
    }
    return subcommand->options->detach ? exec_report_start(subcommand, exec)
                                       : exec_follow(subcommand, exec->id, error);
}

static int
run_program(const Subcommand *subcommand, GError **error)
{
    const Options *options = subcommand->options;
    g_autoptr(GError) local = NULL;
    gboolean refused;

    if (!check_utf8(subcommand->words, error) || !check_environment(options->environment, error) ||
        !check_utf8((const char *const *)options->environment, error))
        return -1;

    g_autoptr(GPtrArray) argv = make_argv(subcommand);
    int status = run_with_streams(subcommand, argv, &refused, &local);
    if (status >= 0)
        return status;
    if (!refused || needs_streams(options)) {
        g_propagate_error(error, g_steal_pointer(&local));
        if (refused)
            g_prefix_error(error, "--tty, --user, --group, --directory, --detach and limits "
                                  "need it: ");
        return -1;
    }
    refusal_tell_loss(subcommand, "novacron-exec-start",
                      "without novacron-exec: the output comes at the end and in part, input "
                      "goes\nbefore the start, and no signals can be sent.");
    return exec_plainly(subcommand, argv, error);
}

static int
attach(const Subcommand *subcommand, GError **error)
{
    return exec_follow(subcommand, subcommand->options->attach, error);
}

static gboolean
check_task(guint n_tasks, const Options *options, GError **error)
{
    const char *complaint = NULL;

    if (n_tasks == 0)
        complaint = "usage: novacronctl exec [--] PROGRAM [ARGUMENT...]";
    else if (n_tasks > 1)
        complaint = "a PROGRAM, --list, --attach, --kill and --close exclude each other";
    else if (options->signal && !options->kill)
        complaint = "--signal says what --kill sends";
    else if (options->cpu < 0 || options->processes < 0)
        complaint = "--cpu and --processes take a positive number";
    if (complaint)
        g_set_error_literal(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, complaint);
    return !complaint;
}

int
exec_run(const Subcommand *subcommand, GError **error)
{
    const Options *options = subcommand->options;
    const struct {
        gboolean is_asked_for;
        int (*run)(const Subcommand *subcommand, GError **error);
    } tasks[] = {
        { subcommand->words[0] != NULL, run_program }, { options->list, exec_list },
        { options->attach != NULL, attach },           { options->kill != NULL, exec_kill },
        { options->close != NULL, exec_close },
    };
    guint n_tasks = 0;
    guint task = 0;

    for (guint i = 0; i < G_N_ELEMENTS(tasks); i++)
        if (tasks[i].is_asked_for) {
            n_tasks++;
            task = i;
        }
    return check_task(n_tasks, options, error) ? tasks[task].run(subcommand, error) : -1;
}
