/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest-exec and guest-exec-status: what is kept of a process, and for how long.
 *
 * A client may never come back for what it started, so the output of ended
 * processes gives way, the oldest first, when a limit is reached. Output of
 * running ones is only cut short, and marked so, when there is nothing left to
 * give way.
 */
#include "commands/exec.h"

#include <string.h>

#include "core/account.h"
#include "core/agent.h"
#include "gen/guest-agent-commands.h"
#include "runtime/qapi-base64.h"
#include "runtime/qapi-error.h"

/* Of a command line in the log. */
#define SHOWN_MAX 8192

typedef struct {
    GByteArray *bytes; /* NULL: nothing came */
    gboolean is_truncated;
} Capture;

typedef struct {
    GaExecs *execs;
    OsProcess *process;
    gint64 pid;
    Capture captures[2]; /* by OsProcessStream */
    gboolean has_ended;
    OsProcessStatus status;
} Exec;

struct GaExecs {
    const GaExecLimits *limits;
    /* In the order of their start: a pid may be in it twice, as the system uses those of ended
     * processes again, and then the first one is meant. Searched from end to end, which the
     * limits keep cheap. */
    GQueue all;
    guint n_ended;
    gsize output_bytes;
};

static gsize
capture_size(const Capture *capture)
{
    return capture->bytes ? capture->bytes->len : 0;
}

static void
exec_free(Exec *exec)
{
    os_process_free(exec->process);
    for (guint i = 0; i < G_N_ELEMENTS(exec->captures); i++)
        g_clear_pointer(&exec->captures[i].bytes, g_byte_array_unref);
    g_free(exec);
}

/* Out of the table and its counts. */
static Exec *
take(GaExecs *execs, GList *link)
{
    Exec *exec = link->data;

    g_queue_delete_link(&execs->all, link);
    execs->n_ended -= exec->has_ended ? 1 : 0;
    for (guint i = 0; i < G_N_ELEMENTS(exec->captures); i++)
        execs->output_bytes -= capture_size(&exec->captures[i]);
    return exec;
}

static gboolean
forget_oldest_ended(GaExecs *execs)
{
    for (GList *link = execs->n_ended ? execs->all.head : NULL; link; link = link->next)
        if (((Exec *)link->data)->has_ended) {
            exec_free(take(execs, link));
            return TRUE;
        }
    return FALSE;
}

static void
output(gpointer owner, OsProcessStream stream, const void *data, gsize size)
{
    Exec *exec = owner;
    GaExecs *execs = exec->execs;
    Capture *capture = &exec->captures[stream];

    /* No second beginning when room is made later: that would be a gap in the middle. */
    if (capture->is_truncated)
        return;

    gsize wanted = MIN(size, execs->limits->stream_bytes - capture_size(capture));
    while (execs->output_bytes + wanted > execs->limits->output_bytes)
        if (!forget_oldest_ended(execs))
            break;
    gsize kept = MIN(wanted, execs->limits->output_bytes - execs->output_bytes);

    if (!capture->bytes)
        capture->bytes = g_byte_array_new();
    g_byte_array_append(capture->bytes, data, (guint)kept);
    capture->is_truncated = kept < size;
    execs->output_bytes += kept;
}

static void
ended(gpointer owner, OsProcessStatus status)
{
    Exec *exec = owner;
    GaExecs *execs = exec->execs;

    exec->has_ended = TRUE;
    exec->status = status;
    execs->n_ended++;
    if (execs->n_ended > execs->limits->n_ended)
        forget_oldest_ended(execs);
}

static const OsProcessEvents process_events = { output, ended };

static gsize
pending_input(const GaExecs *execs)
{
    gsize size = 0;

    for (GList *link = execs->all.head; link; link = link->next)
        size += os_process_pending_input(((Exec *)link->data)->process);
    return size;
}

static gboolean
has_room(const GaExecs *execs, const OsProcessSpec *spec, GError **error)
{
    if (execs->all.length - execs->n_ended >= execs->limits->n_running) {
        qapi_set_error(error, "Failed to execute child process “%s” (%u are running already)",
                       spec->argv[0], execs->limits->n_running);
        return FALSE;
    }
    if (spec->input_size > 0 &&
        pending_input(execs) + spec->input_size > execs->limits->input_bytes) {
        qapi_set_error(error,
                       "Failed to execute child process “%s” (too much input waits for others)",
                       spec->argv[0]);
        return FALSE;
    }
    return TRUE;
}

static void
fill_stream(Capture *capture, GBytes **ret_data, gboolean *ret_has_truncated,
            gboolean *ret_truncated)
{
    if (!capture->bytes)
        return;
    *ret_data = g_byte_array_free_to_bytes(g_steal_pointer(&capture->bytes));
    *ret_has_truncated = TRUE;
    *ret_truncated = capture->is_truncated;
}

static void
fill_status(Exec *exec, GuestExecStatus *status)
{
    status->exited = TRUE;
    status->has_signal = exec->status.is_signalled;
    status->has_exitcode = !exec->status.is_signalled;
    status->signal = status->exitcode = exec->status.code;
    fill_stream(&exec->captures[OS_PROCESS_OUT], &status->out_data, &status->has_out_truncated,
                &status->out_truncated);
    fill_stream(&exec->captures[OS_PROCESS_ERR], &status->err_data, &status->has_err_truncated,
                &status->err_truncated);
}

GaExecs *
ga_execs_new(const GaExecLimits *limits)
{
    GaExecs *execs = g_new0(GaExecs, 1);

    execs->limits = limits;
    g_queue_init(&execs->all);
    return execs;
}

void
ga_execs_free(GaExecs *execs)
{
    if (!execs)
        return;
    while (execs->all.head)
        exec_free(take(execs, execs->all.head));
    g_free(execs);
}

gboolean
ga_execs_start(GaExecs *execs, const OsProcessSpec *spec, gint64 *ret_pid, GError **error)
{
    if (!has_room(execs, spec, error))
        return FALSE;

    Exec *exec = g_new0(Exec, 1);
    exec->execs = execs;
    exec->process = os_process_start(spec, &process_events, exec, error);
    if (!exec->process) {
        g_free(exec);
        return FALSE;
    }
    exec->pid = os_process_pid(exec->process);
    g_queue_push_tail(&execs->all, exec);
    *ret_pid = exec->pid;
    return TRUE;
}

GuestExecStatus *
ga_execs_status(GaExecs *execs, gint64 pid, GError **error)
{
    GList *link = execs->all.head;

    while (link && ((Exec *)link->data)->pid != pid)
        link = link->next;
    if (!link) {
        /* Upstream prints a format where the number should be, and clients look for it. */
        qapi_set_error(error, "PID ld does not exist");
        return NULL;
    }

    GuestExecStatus *status = g_new0(GuestExecStatus, 1);
    if (((Exec *)link->data)->has_ended) {
        Exec *exec = take(execs, link);

        fill_status(exec, status);
        exec_free(exec);
    }
    return status;
}

static gpointer
execs_open(G_GNUC_UNUSED GaAgent *agent)
{
    return ga_execs_new(&ga_exec_limits);
}

static void
execs_close(gpointer state)
{
    ga_execs_free(state);
}

static const GaSlot execs_slot = { "execs", execs_open, execs_close };

/* NULL-terminated: `first` unless NULL, then the strings of `list`, all borrowed. */
static char **
vector(char *first, const GPtrArray *list)
{
    guint n_list = list ? list->len : 0, n = 0;
    char **strings = g_new0(char *, n_list + 2);

    if (first)
        strings[n++] = first;
    for (guint i = 0; i < n_list; i++)
        strings[n++] = list->pdata[i];
    return strings;
}

static GuestExecCaptureOutputMode
capture_mode(const GuestExecCaptureOutput *capture)
{
    if (!capture)
        return GUEST_EXEC_CAPTURE_OUTPUT_MODE_NONE;
    if (capture->branch == GUEST_EXEC_CAPTURE_OUTPUT_MODE)
        return capture->u.mode;
    return capture->u.flag ? GUEST_EXEC_CAPTURE_OUTPUT_MODE_SEPARATED
                           : GUEST_EXEC_CAPTURE_OUTPUT_MODE_NONE;
}

/* For the log, which cuts its lines anyway: an argument may have 64 MiB. */
static char *
command_line(char *const *argv)
{
    GString *line = g_string_new(argv[0]);

    for (guint i = 1; argv[i] && line->len < SHOWN_MAX; i++)
        g_string_append_printf(line, " %.*s", SHOWN_MAX, argv[i]);
    return g_string_free(line, FALSE);
}

static gboolean
start(GaAgent *agent, const GuestExecArgs *args, gint64 *ret_pid, GError **error)
{
    GuestExecCaptureOutputMode mode = capture_mode(args->capture_output);
    /* Windows has no name for the last mode, since its streams cannot be merged. */
    gboolean is_merged = mode > GUEST_EXEC_CAPTURE_OUTPUT_MODE_SEPARATED;
    gboolean is_separated = mode == GUEST_EXEC_CAPTURE_OUTPUT_MODE_SEPARATED;
    g_autofree char **argv = vector(args->path, args->arg);
    g_autofree char **environment = args->env ? vector(NULL, args->env) : NULL;
    g_autofree char *line = command_line(argv);
    gsize input_size = 0;

    ga_account(ga_agent_account(agent), "guest-exec", "guest-exec called: \"%s\"", line);
    if (args->input_data &&
        !qapi_base64_decode(args->input_data, strlen(args->input_data), &input_size, error))
        return FALSE;

    OsProcessSpec spec = {
        .argv = argv,
        .environment = environment,
        .input = args->input_data,
        .input_size = input_size,
        .capture_out = mode == GUEST_EXEC_CAPTURE_OUTPUT_MODE_STDOUT || is_separated || is_merged,
        .capture_err = mode == GUEST_EXEC_CAPTURE_OUTPUT_MODE_STDERR || is_separated,
        .merge_err = is_merged,
    };
    return ga_execs_start(ga_agent_slot(agent, &execs_slot), &spec, ret_pid, error);
}

void
guest_exec(GaCall *call, const GuestExecArgs *args)
{
    GuestExec result;
    GError *error = NULL;

    if (start(ga_call_agent(call), args, &result.pid, &error))
        guest_exec_return(call, &result);
    else
        ga_call_fail(call, error);
}

GuestExecStatus *
guest_exec_status(GaAgent *agent, const GuestExecStatusArgs *args, GError **error)
{
    ga_account(ga_agent_account(agent), "guest-exec-status", "guest-exec-status called, pid: %u",
               (guint32)args->pid);
    return ga_execs_status(ga_agent_slot(agent, &execs_slot), args->pid, error);
}

const GaExecLimits ga_exec_limits = {
    /* Upstream's: clients know it. */
    .stream_bytes = 16 << 20,
    /* Sixteen full streams; what a client does not fetch must not take a small guest's memory. */
    .output_bytes = 256 << 20,
    /* Five of the largest inputs that fit in a request. */
    .input_bytes = 256 << 20,
    /* Each costs a process number (32768 by default) and up to four descriptors. */
    .n_running = 4096,
    /* More than a client that comes back ever has open. */
    .n_ended = 1024,
};
