/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Workers, from the agent's side. A thread that asks waits for the answer: what is asked one after
 * the other can be written down like that.
 */
#include "extensions/worker/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/refusal.h"
#include "runtime/qapi-exchange.h"

/* Of a reply: more is no answer but the work of somebody who has taken the worker over. */
#define REPLY_BYTES_MAX (1024 * 1024)

/* Of an error's text, which goes on to clients and their records. */
#define ERROR_BYTES_MAX 512

/* For a process that is being killed: one on a disk that hangs is not waited for. */
#define END_TICK_US 1000
#define END_TICKS 1000

/* Where nobody has said. */
#define LIMIT_MS 10000

struct QgaClient {
    char *program;
    guint uid;
    guint limit_ms;
    gint fd; /* our end; -1: not started */
    GString *input;
    GMutex lock; /* of what follows, which ga_worker_kill() looks at */
    pid_t pid;   /* 0: nothing runs. It is not reaped before ga_worker_free(). */
    gboolean is_killed;
};

GaWorker *
ga_worker_new(const char *program, guint uid)
{
    GaWorker *worker = g_new0(GaWorker, 1);

    worker->program = g_strdup(program);
    worker->uid = uid;
    worker->limit_ms = LIMIT_MS;
    worker->fd = -1;
    worker->input = g_string_new(NULL);
    g_mutex_init(&worker->lock);
    return worker;
}

static void
reaped(GPid pid, G_GNUC_UNUSED gint status, G_GNUC_UNUSED gpointer user_data)
{
    g_spawn_close_pid(pid);
}

void
ga_worker_free(GaWorker *worker)
{
    if (!worker)
        return;
    ga_worker_kill(worker);
    if (worker->pid)
        g_child_watch_add(worker->pid, reaped, NULL);
    if (worker->fd >= 0)
        close(worker->fd);
    g_string_free(worker->input, TRUE);
    g_mutex_clear(&worker->lock);
    g_free(worker->program);
    g_free(worker);
}

void
ga_worker_set_limit(GaWorker *worker, guint ms)
{
    worker->limit_ms = ms;
}

void
ga_worker_kill(GaWorker *worker)
{
    g_mutex_lock(&worker->lock);
    if (worker->pid && !worker->is_killed)
        kill(-worker->pid, SIGKILL); /* with whatever it may have started */
    worker->is_killed = TRUE;
    g_mutex_unlock(&worker->lock);
}

static gboolean
was_killed(GaWorker *worker)
{
    g_mutex_lock(&worker->lock);
    gboolean is_killed = worker->is_killed;
    g_mutex_unlock(&worker->lock);
    return is_killed;
}

static void
refuse_killed(const GaWorker *worker, GError **error)
{
    g_autofree char *name = g_path_get_basename(worker->program);

    ga_refuse(error, GA_REFUSAL_CANCELLED, "%s was ended", name);
}

/* Its standard input is the socket; it reads and writes there. Standard error is ours, for what a
 * library has to say when all is lost. */
static gint
spawn(const GaWorker *worker, gint theirs, pid_t *ret_pid)
{
    g_autofree char *uid = g_strdup_printf("%u", worker->uid);
    char *argv[] = { worker->program, uid, NULL };
    char utf8[] = "LANG=C.UTF-8", *environment[] = { utf8, NULL };
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t all, none;

    sigfillset(&all);
    sigemptyset(&none);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, theirs, STDIN_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |
                                              POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setsigmask(&attributes, &none);
    gint number = posix_spawn(ret_pid, worker->program, &actions, &attributes, argv, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return number;
}

/* Killed before it was born: it is not born, or for a moment. The lock is not held meanwhile: a
 * program on a disk that hangs would hang who kills it. */
static gboolean
spawn_unless_killed(GaWorker *worker, gint theirs, GError **error)
{
    gboolean is_killed = was_killed(worker);
    pid_t pid = 0;
    gint number = is_killed ? 0 : spawn(worker, theirs, &pid);

    if (number) {
        ga_refuse_errno(error, number, "cannot execute '%s'", worker->program);
        return FALSE;
    }
    if (!is_killed) {
        g_mutex_lock(&worker->lock);
        worker->pid = pid;
        is_killed = worker->is_killed;
        if (is_killed)
            kill(-pid, SIGKILL);
        g_mutex_unlock(&worker->lock);
    }
    if (is_killed)
        refuse_killed(worker, error);
    return !is_killed;
}

gboolean
ga_worker_start(GaWorker *worker, GError **error)
{
    gint fds[2];

    g_return_val_if_fail(worker->fd < 0, FALSE);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0) {
        ga_refuse_errno(error, errno, "cannot make a socket for a worker");
        return FALSE;
    }
    gboolean is_running = spawn_unless_killed(worker, fds[1], error);
    close(fds[1]);
    if (is_running)
        worker->fd = fds[0];
    else
        close(fds[0]);
    return is_running;
}

/* Asking. */

/* The socket has ended. What the worker has died of is there to be seen, soon. */
static void
tell_end(GaWorker *worker, GError **error)
{
    g_autofree char *name = g_path_get_basename(worker->program);
    siginfo_t info = { 0 };
    gint ticks = 0;

    if (was_killed(worker)) {
        refuse_killed(worker, error);
        return;
    }
    ga_worker_kill(worker); /* it may have closed the socket and live on */
    while (waitid(P_PID, (id_t)worker->pid, &info, WEXITED | WNOWAIT | WNOHANG) == 0 &&
           !info.si_pid && ticks++ < END_TICKS)
        g_usleep(END_TICK_US);
    if (!info.si_pid)
        ga_refuse(error, GA_REFUSAL_FAILED, "%s has gone", name);
    else if (info.si_code == CLD_EXITED)
        ga_refuse(error, GA_REFUSAL_FAILED, "%s has left with status %d", name, info.si_status);
    else
        ga_refuse(error, GA_REFUSAL_FAILED, "%s has died of signal %d", name, info.si_status);
}

static gboolean
wait_for(GaWorker *worker, gshort events, gint64 deadline, GError **error)
{
    struct pollfd poller = { worker->fd, events, 0 };
    gint64 left;
    gint count = 0;

    do {
        left = (deadline - g_get_monotonic_time() + 999) / 1000;
        count = left > 0 ? poll(&poller, 1, (gint)left) : 0;
    } while (count < 0 && errno == EINTR);
    if (count > 0)
        return TRUE;
    ga_worker_kill(worker);
    ga_refuse(error, GA_REFUSAL_TIMEOUT, "no answer within %u ms", worker->limit_ms);
    return FALSE;
}

static gboolean
has_to_wait(gssize size)
{
    return size < 0 && (errno == EAGAIN || errno == EINTR);
}

static gboolean
send_line(GaWorker *worker, const char *text, gsize size, gint64 deadline, GError **error)
{
    for (gsize sent = 0; sent < size;) {
        if (!wait_for(worker, POLLOUT, deadline, error))
            return FALSE;
        gssize count = send(worker->fd, text + sent, size - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count < 0 && !has_to_wait(count)) {
            tell_end(worker, error);
            return FALSE;
        }
        sent += count > 0 ? (gsize)count : 0;
    }
    return TRUE;
}

/* The first line of the input, without its end. A worker says nothing that it was not asked. */
static gboolean
receive_line(GaWorker *worker, gint64 deadline, GError **error)
{
    char piece[4096];

    g_string_truncate(worker->input, 0);
    while (!memchr(worker->input->str, '\n', worker->input->len)) {
        if (worker->input->len > REPLY_BYTES_MAX) {
            ga_worker_kill(worker);
            ga_refuse(error, GA_REFUSAL_FAILED, "the worker's answer has no end");
            return FALSE;
        }
        if (!wait_for(worker, POLLIN, deadline, error))
            return FALSE;
        gssize count = recv(worker->fd, piece, sizeof piece, MSG_DONTWAIT);
        if (count == 0 || (count < 0 && !has_to_wait(count))) {
            tell_end(worker, error);
            return FALSE;
        }
        g_string_append_len(worker->input, piece, MAX(count, 0));
    }
    return TRUE;
}

static void
cut(GError *error)
{
    if (error && strlen(error->message) > ERROR_BYTES_MAX)
        error->message[ERROR_BYTES_MAX] = '\0';
}

/* What the generated functions call. */
gboolean qga_client_call(GaWorker *worker, const char *command, const QapiType *args_type,
                         gconstpointer args, const QapiType *result_type, gpointer ret_place,
                         gboolean silent, GError **error);

gboolean
qga_client_call(GaWorker *worker, const char *command, const QapiType *args_type,
                gconstpointer args, const QapiType *result_type, gpointer ret_place,
                G_GNUC_UNUSED gboolean silent, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + (gint64)worker->limit_ms * 1000;
    g_autoptr(GError) local = NULL;
    gsize size;
    g_autofree char *text = qapi_request_text(command, args_type, args, &size);

    text[size] = '\n'; /* where its NUL was */
    if (!send_line(worker, text, size + 1, deadline, error) ||
        !receive_line(worker, deadline, error))
        return FALSE;

    QapiReply reply = qapi_reply_read(worker->input->str, worker->input->len, result_type,
                                      ret_place, &local);
    cut(local);
    switch (reply) {
    case QAPI_REPLY_RETURN:
        return TRUE;
    case QAPI_REPLY_ERROR:
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    case QAPI_REPLY_BROKEN:
        break;
    }
    ga_worker_kill(worker);
    ga_refuse(error, GA_REFUSAL_FAILED, "the worker's answer makes no sense: %s", local->message);
    return FALSE;
}
