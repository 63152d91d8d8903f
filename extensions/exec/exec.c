/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs. Starting one looks up a user and waits for the exec, so that is done on a
 * thread; from then on everything happens in the main loop.
 */
#include "extensions/exec/exec.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/event.h"
#include "core/refusal.h"
#include "core/task.h"
#include "core/wait.h"
#include "extensions/exec/limits.h"
#include "extensions/exec/stream.h"
#include "gen/exec-commands.h"
#include "platform/child.h"

/* Each has a process, up to three descriptors, and its room. */
#define RUNNING_MAX 256

/* Nobody may ever come for them. */
#define ENDED_MAX 64

/* Of one stream, and of all that there are. Room that output does not reach is never made. */
#define ROOM_DEFAULT (1024 * 1024)
#define ROOM_MAX (16 * 1024 * 1024)
#define ROOM_MIN 4096
#define ROOM_SUM (256 * 1024 * 1024)

/* Of one reply, in which base64 makes it a third more. */
#define READ_DEFAULT (32 * 1024)
#define READ_MAX (512 * 1024)

/* Between being told to end and being killed. */
#define GRACE_MS 5000

/* The description stands in every reply: the whole command line is in /proc. */
#define ARGV_SHOWN_MAX 2048

/* Kept with each program. */
#define REQUEST_ID_MAX 256

/* Ids are typed by people: no longer than this makes them. */
#define FIRST_NUMBER_MASK 0xffff

struct Execs {
    GaAgent *agent;
    GPtrArray *all;      /* Exec, the eldest first */
    GPtrArray *starting; /* Start */
    gsize room;          /* of both */
    guint64 last_number, last_ended;
    gboolean is_closed; /* only `starting` is left */
};

struct Exec {
    Execs *execs;
    NovacronExec *seen;
    char *request_id;
    char *limits_folder;
    gsize room;
    ExecStream *out, *err; /* `err` is NULL with a terminal */
    gint in;               /* -1: closed, or a terminal, or none */
    gboolean has_input, has_terminal;
    guint child_watch; /* 0: ended */
    guint64 ended;     /* the how manieth to end */
    guint timer;       /* until it is told to end, then until what is left of it is killed */
    GPtrArray *waits;  /* Reading */
};

/* A call that waits for news. */
typedef struct {
    Exec *exec;
    GaCall *call;
    GaWait *wait;
    NovacronExecReadArgs args;
} Reading;

/* From the request to the running program. */
typedef struct {
    Execs *execs;
    GaCall *call; /* gone when execs->is_closed */
    OsChildSpec *spec;
    Exec *exec; /* not in the list yet */
    gboolean holds;
    guint timeout_ms;
    OsChild child;
    GError *error;
} Start;

static gint64
now_ns(void)
{
    return g_get_real_time() * 1000;
}

static void
emit(const Exec *exec, GaEventType type)
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
static void
kill_all(const Exec *exec)
{
    if (exec->child_watch || !exec->limits_folder)
        os_child_signal(exec->seen->pid, SIGKILL);
    exec_limits_kill(exec->limits_folder);
}

static void
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

static gpointer
execs_open(GaAgent *agent)
{
    Execs *execs = g_new0(Execs, 1);

    execs->agent = agent;
    execs->all = g_ptr_array_new();
    execs->starting = g_ptr_array_new();
    execs->last_number = g_random_int() & FIRST_NUMBER_MASK;
    exec_limits_sweep();
    return execs;
}

static void
free_if_unused(Execs *execs)
{
    if (!execs->is_closed || execs->starting->len > 0)
        return;
    g_ptr_array_free(execs->all, TRUE);
    g_ptr_array_free(execs->starting, TRUE);
    g_free(execs);
}

/* Programs go on when the agent ends; one that then writes to nobody is told so by its pipe. */
static void
execs_close(gpointer state)
{
    Execs *execs = state;

    for (guint i = 0; i < execs->all->len; i++)
        exec_free(execs->all->pdata[i]);
    execs->is_closed = TRUE;
    free_if_unused(execs);
}

static const GaSlot execs_slot = { "novacron-exec", execs_open, execs_close };

Execs *
execs_of(GaAgent *agent)
{
    return ga_agent_slot(agent, &execs_slot);
}

const GPtrArray *
execs_list(const Execs *execs)
{
    return execs->all;
}

Exec *
execs_find(Execs *execs, const char *id, GError **error)
{
    for (guint i = 0; i < execs->all->len; i++) {
        Exec *exec = execs->all->pdata[i];

        if (strcmp(exec->seen->id, id) == 0)
            return exec;
    }
    ga_refuse(error, GA_REFUSAL_NOT_FOUND, "there is no program %s", id);
    return NULL;
}

/* Those who wait for its output are told. */
static void
disappoint(Exec *exec)
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

static void
forget(Exec *exec)
{
    emit(exec, GA_EVENT_EXEC_CLOSED);
    if (exec->seen->timed_out && exec->timer)
        kill_all(exec);
    exec->execs->room -= exec->room;
    g_ptr_array_remove(exec->execs->all, exec);
    disappoint(exec);
    exec_free(exec);
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

static guint
count_running(const Execs *execs)
{
    guint count = 0;

    for (guint i = 0; i < execs->all->len; i++)
        count += ((const Exec *)execs->all->pdata[i])->child_watch ? 1 : 0;
    return count;
}

/* NULL: none has ended. */
static Exec *
first_ended(const Execs *execs)
{
    Exec *first = NULL;

    for (guint i = 0; i < execs->all->len; i++) {
        Exec *exec = execs->all->pdata[i];

        if (!exec->child_watch && (!first || exec->ended < first->ended))
            first = exec;
    }
    return first;
}

/* Whoever does not come for what has ended must not keep others from starting anything. */
static gboolean
make_room(Execs *execs, gsize room)
{
    Exec *ended;

    while (execs->room + room > ROOM_SUM && (ended = first_ended(execs)))
        forget(ended);
    return execs->room + room <= ROOM_SUM;
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
    exec->ended = ++exec->execs->last_ended;
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
    emit(exec, GA_EVENT_EXEC_ENDED);
    on_news(exec);
    if (exec->execs->all->len - count_running(exec->execs) > ENDED_MAX)
        forget(first_ended(exec->execs));
}

static gboolean
on_grace_over(gpointer user_data)
{
    Exec *exec = user_data;

    exec->timer = 0;
    kill_all(exec);
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

static void
start_free(Start *start)
{
    os_child_spec_free(start->spec);
    if (start->exec)
        exec_free(start->exec);
    g_free(start);
}

static void
take_child(Start *start)
{
    Exec *exec = start->exec;
    const OsChild *child = &start->child;

    exec->seen->pid = child->pid;
    exec->seen->started_ns = now_ns();
    exec->seen->running = TRUE;
    exec->in = child->in;
    exec->out = exec_stream_new(child->out, exec->room / (exec->has_terminal ? 1 : 2), start->holds,
                                on_news, exec);
    if (child->err >= 0)
        exec->err = exec_stream_new(child->err, exec->room / 2, start->holds, on_news, exec);
    exec->child_watch = g_child_watch_add((GPid)child->pid, on_ended, exec);
    if (start->timeout_ms)
        exec->timer = g_timeout_add(start->timeout_ms, on_timeout, exec);
}

/* The agent has gone meanwhile, and with it who wanted the program. */
static void
abandon(const Start *start)
{
    const OsChild *child = &start->child;

    if (start->error) {
        g_error_free(start->error);
        return;
    }
    start->exec->seen->pid = child->pid;
    kill_all(start->exec);
    close(child->out);
    if (child->in >= 0)
        close(child->in);
    if (child->err >= 0)
        close(child->err);
}

static void
on_started(gpointer data)
{
    Start *start = data;
    Execs *execs = start->execs;

    g_ptr_array_remove_fast(execs->starting, start);
    if (execs->is_closed) {
        abandon(start);
        free_if_unused(execs);
    } else if (start->error) {
        execs->room -= start->exec->room;
        ga_call_fail(start->call, start->error);
    } else {
        take_child(start);
        emit(start->exec, GA_EVENT_EXEC_STARTED);
        g_autoptr(NovacronExec) description = exec_describe(start->exec);
        g_ptr_array_add(execs->all, g_steal_pointer(&start->exec));
        novacron_exec_start_return(start->call, description);
    }
    start_free(start);
}

static void
start_child(gpointer data)
{
    Start *start = data;

    if (!os_child_start(start->spec, &start->child, &start->error))
        g_assert(start->error);
}

static char **
strings_of(const GPtrArray *list)
{
    char **strings = g_new0(char *, list->len + 1);

    for (guint i = 0; i < list->len; i++)
        strings[i] = g_strdup(list->pdata[i]);
    return strings;
}

static OsChildSpec *
spec_of(const NovacronExecStartArgs *args, const char *limits_folder)
{
    OsChildSpec *spec = g_new0(OsChildSpec, 1);

    spec->argv = strings_of(args->argv);
    spec->environment = args->environment ? strings_of(args->environment) : NULL;
    spec->directory = g_strdup(args->directory);
    spec->user = g_strdup(args->user);
    spec->group = g_strdup(args->group);
    spec->control_file = exec_limits_file(limits_folder);
    spec->has_input = args->has_input && args->input;
    spec->has_terminal = args->terminal != NULL;
    if (args->terminal) {
        spec->columns = args->terminal->columns;
        spec->rows = args->terminal->rows;
    }
    return spec;
}

static gboolean
find_room(Execs *execs, gsize room, GError **error)
{
    guint n_running = execs->starting->len + count_running(execs);

    if (n_running >= RUNNING_MAX)
        ga_refuse(error, GA_REFUSAL_BUSY, "%u programs run", n_running);
    else if (!make_room(execs, room))
        ga_refuse(error, GA_REFUSAL_BUSY, "the output of others takes all the room");
    else
        return TRUE;
    return FALSE;
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

static Exec *
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

static Exec *
find_request(const Execs *execs, const char *request_id)
{
    for (guint i = 0; request_id && i < execs->all->len; i++) {
        Exec *exec = execs->all->pdata[i];

        if (g_strcmp0(exec->request_id, request_id) == 0)
            return exec;
    }
    return NULL;
}

static gboolean
is_starting(const Execs *execs, const char *request_id)
{
    for (guint i = 0; request_id && i < execs->starting->len; i++)
        if (g_strcmp0(((const Start *)execs->starting->pdata[i])->exec->request_id, request_id) ==
            0)
            return TRUE;
    return FALSE;
}

static gboolean
may_start(const Execs *execs, const NovacronExecStartArgs *args, GError **error)
{
    if (args->argv->len == 0 || !*(const char *)args->argv->pdata[0])
        ga_refuse(error, GA_REFUSAL_BAD_VALUE, "no program is named");
    else if (args->request_id && strlen(args->request_id) > REQUEST_ID_MAX)
        ga_refuse(error, GA_REFUSAL_BAD_VALUE, "a request-id has at most %d bytes", REQUEST_ID_MAX);
    else if (is_starting(execs, args->request_id))
        ga_refuse(error, GA_REFUSAL_BUSY, "request %s is being carried out", args->request_id);
    else
        return TRUE;
    return FALSE;
}

void
execs_start(Execs *execs, GaCall *call, const NovacronExecStartArgs *args)
{
    const Exec *known = find_request(execs, args->request_id);
    GError *error = NULL;

    if (known) {
        g_autoptr(NovacronExec) description = exec_describe(known);
        novacron_exec_start_return(call, description);
        return;
    }

    if (args->limits && execs->starting->len == 0)
        exec_limits_sweep();
    Exec *exec = exec_new(execs, args);
    if (!may_start(execs, args, &error) || !find_room(execs, exec->room, &error) ||
        (args->limits &&
         !(exec->limits_folder = exec_limits_make(args->limits, exec->seen->id, &error)))) {
        exec_free(exec);
        ga_call_fail(call, error);
        return;
    }

    Start *start = g_new0(Start, 1);
    *start = (Start){ .execs = execs,
                      .call = call,
                      .spec = spec_of(args, exec->limits_folder),
                      .exec = exec,
                      .holds = args->has_overflow && args->overflow == NOVACRON_EXEC_OVERFLOW_HOLD,
                      .timeout_ms = args->has_timeout_ms ? args->timeout_ms : 0 };
    g_ptr_array_add(execs->starting, start);
    execs->room += exec->room;
    ga_task_run(start_child, on_started, start);
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
        kill_all(exec);
        g_source_remove(exec->child_watch);
        exec->child_watch = 0;
        g_child_watch_add_full(G_PRIORITY_DEFAULT, (GPid)exec->seen->pid, on_forgotten_exit,
                               g_strdup(exec->limits_folder), g_free);
    }
    forget(exec);
}
