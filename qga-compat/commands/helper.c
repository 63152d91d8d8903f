/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Helper programs. Texts and rules are upstream's, whose child leads a session of its own
 * and whose answer waits for the end of its output, not only for its exit: a hook that
 * leaves something behind with the pipe open is not done. Upstream serves nobody until
 * then; here the loop goes on, and a time limit can be set.
 */
#include "commands/helper.h"

#include <errno.h>
#include <string.h>

#include "platform/process.h"
#include "runtime/qapi-error.h"

/* Of an error text. Nobody reads more, and a program may print without end. */
#define OUTPUT_MAX (64 * 1024)

typedef struct {
    OsProcess *process;
    GString *output;
    char *action;
    guint time_limit_ms;
    guint timer;
    GaHelperDone done;
    gpointer user_data;
} Helper;

static void
finish(Helper *helper, GError *error)
{
    GaHelperDone done = helper->done;
    gpointer user_data = helper->user_data;

    if (helper->timer)
        g_source_remove(helper->timer);
    os_process_free(helper->process);
    g_string_free(helper->output, TRUE);
    g_free(helper->action);
    g_free(helper);
    done(error, user_data);
}

static void
output(gpointer owner, G_GNUC_UNUSED OsProcessStream stream, const void *data, gsize size)
{
    Helper *helper = owner;

    g_string_append_len(helper->output, data, (gssize)MIN(size, OUTPUT_MAX - helper->output->len));
}

static GError *
judge(const Helper *helper, OsProcessStatus status)
{
    const char *text = helper->output->str;
    GError *error = NULL;

    if (os_process_has_left_input(helper->process))
        qapi_set_errno(&error, EPIPE, "%s: cannot write to stdin pipe", helper->action);
    else if (status.is_signalled)
        qapi_set_error(&error, "child process has terminated abnormally%s%s", *text ? ": " : "",
                       text);
    else if (status.code && *text)
        qapi_set_error(&error, "child process has failed to %s: %s", helper->action, text);
    else if (status.code)
        qapi_set_error(&error, "child process has failed to %s: exit status %d", helper->action,
                       (gint)status.code);
    return error;
}

static void
ended(gpointer owner, OsProcessStatus status)
{
    finish(owner, judge(owner, status));
}

static const OsProcessEvents events = { output, ended };

static gboolean
timed_out(gpointer user_data)
{
    Helper *helper = user_data;
    GError *error = NULL;

    helper->timer = 0;
    os_process_kill(helper->process);
    qapi_set_error(&error, "child process has failed to %s: no end within %u ms%s%s",
                   helper->action, helper->time_limit_ms, helper->output->len > 0 ? ": " : "",
                   helper->output->str);
    finish(helper, error);
    return G_SOURCE_REMOVE;
}

/* Upstream's child tells in its output that it could not execute the program. */
static GError *
failure(const GaHelperSpec *spec, GError *reason)
{
    GError *error = NULL;

    if (!g_error_matches(reason, OS_PROCESS_ERROR, reason->code))
        return reason;
    qapi_set_error(&error, "child process has failed to %s: failed to exec '%s': %s\n",
                   spec->action, spec->argv[0], g_strerror(reason->code));
    g_error_free(reason);
    return error;
}

void
ga_helper_run(const GaHelperSpec *spec, GaHelperDone done, gpointer user_data)
{
    Helper *helper = g_new0(Helper, 1);
    g_auto(GStrv) environment = spec->variable ? g_environ_setenv(g_get_environ(), spec->variable,
                                                                  spec->value, TRUE)
                                               : NULL;
    OsProcessSpec process = {
        .argv = spec->argv,
        .environment = environment,
        .input = spec->input,
        .input_size = spec->input ? strlen(spec->input) : 0,
        .capture_out = TRUE,
        .merge_err = TRUE,
        .is_detached = TRUE,
    };
    GError *error = NULL;

    helper->output = g_string_new(NULL);
    helper->action = g_strdup(spec->action);
    helper->time_limit_ms = spec->time_limit_ms;
    helper->done = done;
    helper->user_data = user_data;
    helper->process = os_process_start(&process, &events, helper, &error);
    if (!helper->process)
        finish(helper, failure(spec, error));
    else if (spec->time_limit_ms)
        helper->timer = g_timeout_add(spec->time_limit_ms, timed_out, helper);
}
