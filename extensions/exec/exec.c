/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One program: its streams, its end, and the calls that wait for news of it. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/event.h"
#include "core/refusal.h"
#include "core/wait.h"
#include "extensions/exec/exec-private.h"
#include "extensions/exec/limits.h"
#include "extensions/exec/stream.h"
#include "gen/exec-commands.h"

/* Of one stream. Room that output does not reach is never made. */
#define ROOM_DEFAULT (1024 * 1024)
#define ROOM_MAX (16 * 1024 * 1024)
#define ROOM_MIN 4096

/* Of one reply, in which base64 makes it a third more. */
#define READ_DEFAULT (32 * 1024)
#define READ_MAX (512 * 1024)

/* Between being told to end and being killed. */
#define GRACE_MS 5000

/* The description stands in every reply: the whole command line is in /proc. */
#define ARGV_SHOWN_MAX 2048

/* A call that waits for news. */
typedef struct {
    Exec *exec;
    GaCall *call;
    GaWait *wait;
    NovacronExecReadArgs args;
} Reading;

static gint64
now_ns(void)
{
    return g_get_real_time() * 1000;
}

void
exec_emit(const Exec *exec, GaEventType type)
{
    const NovacronExec *seen = exec->seen;

    ga_event_emit(exec->execs->agent, &(GaEvent){ .type = type,
                                                  .id = seen->id,
                                                  .pid = seen->pid,
                                                  .exit_code = (gint)seen->exit_code,
                                                  .signal = (gint)seen->signal });
}

/* With a control group also what has left the process group, of which there may be nobody left, and
 * its number be another's, once the program has ended. */
void
exec_kill_all(const Exec *exec)
{
    if (exec->child_watch || !exec->limits_folder)
        os_child_signal(exec->seen->pid, SIGKILL);
    exec_limits_kill(exec->limits_folder);
}

/* Those who wait for its output are told. */
void
exec_disappoint(Exec *exec)
{
    while (exec->waits->len > 0) {
        g_autofree Reading *reading = exec->waits->pdata[0];
        GError *error = NULL;

        g_ptr_array_remove_index_fast(exec->waits, 0);
        ga_wait_free(reading->wait);
        ga_refuse(&error, GA_REFUSAL_NOT_FOUND, "program %s was closed", exec->seen->id);
        ga_call_fail(reading->call, error);
    }
}

void
exec_free(Exec *exec)
{
    for (guint i = 0; i < exec->waits->len; i++) {
        Reading *reading = exec->waits->pdata[i];
        ga_wait_free(reading->wait);
        g_free(reading);
    }
    g_ptr_array_free(exec->waits, TRUE);
    if (exec->child_watch)
        g_source_remove(exec->child_watch);
    if (exec->timer)
        g_source_remove(exec->timer);
    if (exec->in >= 0)
        close(exec->in);
    exec_stream_free(exec->out);
    exec_stream_free(exec->err);
    exec_limits_remove(exec->limits_folder);
    g_free(exec->limits_folder);
    g_free(exec->request_id);
    novacron_exec_free(exec->seen);
    g_free(exec);
}

static GPtrArray *
copy_argv(const GPtrArray *argv)
{
    GPtrArray *copy = g_ptr_array_new();
    gsize shown = 0;

    for (guint i = 0; i < argv->len && shown < ARGV_SHOWN_MAX; i++) {
        g_autofree char *text = g_strndup(argv->pdata[i], ARGV_SHOWN_MAX - shown);

        g_ptr_array_add(copy, g_utf8_make_valid(text, -1));
        shown += strlen(text) + 1;
    }
    return copy;
}

NovacronExec *
exec_describe(const Exec *exec)
{
    NovacronExec *copy = g_new(NovacronExec, 1);

    *copy = *exec->seen;
    copy->id = g_strdup(exec->seen->id);
    copy->argv = copy_argv(exec->seen->argv);
    return copy;
}

static NovacronExecPiece *
take_piece(const ExecStream *stream, guint64 offset, gsize size)
{
    NovacronExecPiece *piece = g_new0(NovacronExecPiece, 1);

    piece->buf_b64 = exec_stream_read(stream, offset, size, &piece->offset);
    piece->lost_bytes = piece->offset - offset;
    piece->eof = exec_stream_is_over(stream, piece->offset + g_bytes_get_size(piece->buf_b64));
    return piece;
}

/* Each is sure of half of the size, and has what the other one leaves. */
static void
answer_read(Exec *exec, GaCall *call, const NovacronExecReadArgs *args)
{
    gsize size = args->has_max_bytes ? MIN(args->max_bytes, READ_MAX) : READ_DEFAULT;
    g_autoptr(NovacronExecOutput) output = g_new0(NovacronExecOutput, 1);

    if (exec->err) {
        gsize n_out = exec_stream_count(exec->out, args->out_offset);

        output->err = take_piece(exec->err, args->err_offset, size - MIN(n_out, size / 2));
        size -= g_bytes_get_size(output->err->buf_b64);
    }
    output->out = take_piece(exec->out, args->out_offset, size);
    output->exec = exec_describe(exec);
    novacron_exec_read_return(call, output);
}

static void
on_wait_over(GaCall *call, gpointer user_data)
{
    g_autofree Reading *reading = user_data;

    g_ptr_array_remove_fast(reading->exec->waits, reading);
    answer_read(reading->exec, call, &reading->args);
}

/* Streams that have ended are no news as long as the program runs. */
static gboolean
has_news(const Exec *exec, const NovacronExecReadArgs *args)
{
    gboolean is_over = exec_stream_is_over(exec->out, args->out_offset) &&
                       (!exec->err || exec_stream_is_over(exec->err, args->err_offset));

    if (is_over)
        return !exec->child_watch;
    return (exec_stream_has_news(exec->out, args->out_offset) &&
            !exec_stream_is_over(exec->out, args->out_offset)) ||
           (exec->err && exec_stream_has_news(exec->err, args->err_offset) &&
            !exec_stream_is_over(exec->err, args->err_offset));
}

static void
on_news(gpointer owner)
{
    const Exec *exec = owner;

    for (guint i = 0; i < exec->waits->len; i++) {
        const Reading *reading = exec->waits->pdata[i];

        if (has_news(exec, &reading->args))
            ga_wait_end(reading->wait);
    }
}

/* Others of its groups have their time as well: the number stays the process group's as long as one
 * of them is there. */
static void
stop_timer(Exec *exec)
{
    if (!exec->timer || (exec->seen->timed_out && (os_child_signal(exec->seen->pid, 0) ||
                                                   exec_limits_hold_somebody(exec->limits_folder))))
        return;
    g_source_remove(exec->timer);
    exec->timer = 0;
}

static void
on_ended(G_GNUC_UNUSED GPid pid, gint status, gpointer user_data)
{
    Exec *exec = user_data;
    NovacronExec *seen = exec->seen;

    exec->child_watch = 0;
    stop_timer(exec);
    seen->running = FALSE;
    seen->has_exit_code = WIFEXITED(status);
    seen->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    seen->has_signal = WIFSIGNALED(status);
    seen->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    seen->has_ended_ns = TRUE;
    seen->ended_ns = now_ns();
    seen->has_out_of_memory = exec->limits_folder != NULL;
    seen->out_of_memory = exec_limits_were_out_of_memory(exec->limits_folder);
    exec_limits_remove(exec->limits_folder);
    exec_emit(exec, GA_EVENT_EXEC_ENDED);
    on_news(exec);
    execs_note_end(exec);
}

static gboolean
on_grace_over(gpointer user_data)
{
    Exec *exec = user_data;

    exec->timer = 0;
    exec_kill_all(exec);
    return G_SOURCE_REMOVE;
}

static gboolean
on_timeout(gpointer user_data)
{
    Exec *exec = user_data;

    exec->seen->timed_out = TRUE;
    os_child_signal(exec->seen->pid, SIGTERM);
    exec->timer = g_timeout_add(GRACE_MS, on_grace_over, exec);
    return G_SOURCE_REMOVE;
}

/* The number makes it another one than those of this agent, the time than those of former ones. Of
 * these there can be several in a second; and clocks are set back, so that they do not count from
 * the same number. */
static char *
new_id(Execs *execs)
{
    return g_strdup_printf("%" G_GINT64_FORMAT "-%" G_GUINT64_FORMAT, g_get_real_time() / 1000,
                           ++execs->last_number);
}

Exec *
exec_new(Execs *execs, const NovacronExecStartArgs *args)
{
    Exec *exec = g_new0(Exec, 1);
    gsize room = args->has_output_bytes ? CLAMP(args->output_bytes, ROOM_MIN, ROOM_MAX)
                                        : ROOM_DEFAULT;

    exec->execs = execs;
    exec->request_id = g_strdup(args->request_id);
    exec->has_terminal = args->terminal != NULL;
    exec->has_input = args->has_input && args->input;
    exec->room = exec->has_terminal ? room : 2 * room;
    exec->in = -1;
    exec->waits = g_ptr_array_new();
    exec->seen = g_new0(NovacronExec, 1);
    exec->seen->id = new_id(execs);
    exec->seen->argv = copy_argv(args->argv);
    return exec;
}

void
exec_take_child(Exec *exec, const OsChild *child, gboolean holds, guint timeout_ms)
{
    exec->seen->pid = child->pid;
    exec->seen->started_ns = now_ns();
    exec->seen->running = TRUE;
    exec->in = child->in;
    exec->out = exec_stream_new(child->out, exec->room / (exec->has_terminal ? 1 : 2), holds,
                                on_news, exec);
    if (child->err >= 0)
        exec->err = exec_stream_new(child->err, exec->room / 2, holds, on_news, exec);
    exec->child_watch = g_child_watch_add((GPid)child->pid, on_ended, exec);
    if (timeout_ms)
        exec->timer = g_timeout_add(timeout_ms, on_timeout, exec);
}

void
exec_read(Exec *exec, GaCall *call, const NovacronExecReadArgs *args)
{
    GError *error = NULL;

    if (!exec_stream_knows(exec->out, args->out_offset) ||
        (exec->err && !exec_stream_knows(exec->err, args->err_offset))) {
        ga_refuse(&error, GA_REFUSAL_BAD_VALUE, "program %s has not printed that much",
                  exec->seen->id);
        ga_call_fail(call, error);
        return;
    }
    exec_stream_release(exec->out, args->out_offset);
    if (exec->err)
        exec_stream_release(exec->err, args->err_offset);
    if (!args->has_wait_ms || args->wait_ms == 0 || has_news(exec, args)) {
        answer_read(exec, call, args);
        return;
    }

    Reading *reading = g_new(Reading, 1);
    *reading = (Reading){ .exec = exec, .call = call, .args = *args };
    g_ptr_array_add(exec->waits, reading);
    reading->wait = ga_wait_new(call, args->wait_ms, on_wait_over, reading);
}

static void
close_input(Exec *exec)
{
    if (exec->in >= 0)
        close(exec->in);
    exec->in = -1;
}

gboolean
exec_write(Exec *exec, const void *data, gsize size, gboolean is_last,
           NovacronExecWritten *ret_written, GError **error)
{
    gint fd = exec->has_terminal ? exec_stream_fd(exec->out) : exec->in;
    gssize written = -1;

    if (!exec->has_terminal && !exec->has_input) {
        ga_refuse(error, GA_REFUSAL_UNSUPPORTED, "program %s has no input", exec->seen->id);
        return FALSE;
    }
    if (fd >= 0 && size > 0)
        written = write(fd, data, size);
    gboolean is_gone = fd < 0 || (written < 0 && size > 0 && errno != EAGAIN && errno != EINTR);

    ret_written->accepted_bytes = written > 0 ? (guint64)written : 0;
    ret_written->closed = is_gone;
    if (is_gone || (is_last && ret_written->accepted_bytes == size))
        close_input(exec);
    return TRUE;
}

gboolean
exec_signal(Exec *exec, gint number, GError **error)
{
    if (exec->child_watch && os_child_signal(exec->seen->pid, number))
        return TRUE;
    ga_refuse(error, GA_REFUSAL_NOT_FOUND, "program %s has ended", exec->seen->id);
    return FALSE;
}

gboolean
exec_resize(Exec *exec, guint16 columns, guint16 rows, GError **error)
{
    if (!exec->has_terminal) {
        ga_refuse(error, GA_REFUSAL_UNSUPPORTED, "program %s has no terminal", exec->seen->id);
        return FALSE;
    }
    if (exec_stream_fd(exec->out) < 0) {
        ga_refuse(error, GA_REFUSAL_NOT_FOUND, "program %s has ended", exec->seen->id);
        return FALSE;
    }
    if (os_child_resize(exec_stream_fd(exec->out), columns, rows))
        return TRUE;
    ga_refuse_errno(error, errno, "program %s", exec->seen->id);
    return FALSE;
}

/* Somebody must reap it. */
static void
on_forgotten_exit(G_GNUC_UNUSED GPid pid, G_GNUC_UNUSED gint status, gpointer limits_folder)
{
    exec_limits_remove(limits_folder);
}

void
exec_close(Exec *exec)
{
    if (exec->child_watch) {
        exec_kill_all(exec);
        g_source_remove(exec->child_watch);
        exec->child_watch = 0;
        g_child_watch_add_full(G_PRIORITY_DEFAULT, (GPid)exec->seen->pid, on_forgotten_exit,
                               g_strdup(exec->limits_folder), g_free);
    }
    execs_forget(exec);
}
