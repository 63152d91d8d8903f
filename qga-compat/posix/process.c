/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Child processes by posix_spawn(), which shares the memory of the agent until
 * the exec instead of copying its page tables.
 *
 * The search in PATH happens here, since posix_spawnp() knows only the caller's
 * PATH; its rules, the shell for scripts without an interpreter line and the
 * error texts are those of g_spawn_async(), which upstream's clients know.
 */
#include "platform/process.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/qapi-error.h"

#define PIPE_SIZE (64 * 1024)

/* Read in one turn of the loop, so that a child that floods leaves it to others soon. */
#define OUTPUT_PER_TURN PIPE_SIZE

/* Our end of a pipe. */
typedef struct {
    OsProcess *process;
    gint fd; /* -1: closed */
    guint watch;
} End;

struct OsProcess {
    const OsProcessEvents *events;
    gpointer owner;

    GPid pid;
    guint child_watch; /* 0: reaped */
    OsProcessStatus status;

    End input;
    GBytes *input_left; /* what the pipe did not take at once */
    gboolean has_left_input;
    End outputs[2]; /* by OsProcessStream */
};

/* What a child gets besides its program. */
typedef struct {
    gint fds[3]; /* by descriptor number; -1: /dev/null */
    gboolean is_detached;
} ChildSetting;

static void
end_open(End *end, OsProcess *process, gint fd)
{
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    end->process = process;
    end->fd = fd;
}

static void
end_close(End *end)
{
    if (end->fd < 0)
        return;
    if (end->watch)
        g_source_remove(end->watch);
    end->watch = 0;
    close(end->fd);
    end->fd = -1;
}

G_DEFINE_QUARK(os - process - error, os_process_error)

/* The owner may free the process in answer to the event: nothing may touch it afterwards. */
static void
tell_if_ended(OsProcess *process)
{
    if (!process->child_watch && process->outputs[OS_PROCESS_OUT].fd < 0 &&
        process->outputs[OS_PROCESS_ERR].fd < 0)
        process->events->ended(process->owner, process->status);
}

static gboolean
output_arrived(gint fd, G_GNUC_UNUSED GIOCondition condition, gpointer user_data)
{
    End *end = user_data;
    OsProcess *process = end->process;
    guint8 buffer[OUTPUT_PER_TURN];
    gssize size = read(fd, buffer, sizeof buffer);

    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return G_SOURCE_CONTINUE;

    if (size <= 0) {
        end_close(end);
        tell_if_ended(process);
        return G_SOURCE_REMOVE;
    }
    process->events->output(process->owner, (OsProcessStream)(end - process->outputs), buffer,
                            (gsize)size);
    return G_SOURCE_CONTINUE;
}

/* How many of the bytes are done with: all of them if nobody is left to read them. */
static gsize
write_input(OsProcess *process, const void *data, gsize size)
{
    gssize written = write(process->input.fd, data, size);

    if (written >= 0)
        return (gsize)written;
    if (errno == EAGAIN || errno == EINTR)
        return 0;
    /* What fits would have been taken of a child that is slower to go: as if it had. */
    process->has_left_input = process->input_left || size > PIPE_SIZE;
    return size;
}

static gboolean
input_wanted(G_GNUC_UNUSED gint fd, G_GNUC_UNUSED GIOCondition condition, gpointer user_data)
{
    OsProcess *process = ((End *)user_data)->process;
    gsize size;
    const void *data = g_bytes_get_data(process->input_left, &size);
    gsize written = write_input(process, data, size);

    if (written < size) {
        g_autoptr(GBytes) before = process->input_left;

        process->input_left = g_bytes_new_from_bytes(before, written, size - written);
        return G_SOURCE_CONTINUE;
    }
    g_clear_pointer(&process->input_left, g_bytes_unref);
    end_close(&process->input);
    return G_SOURCE_REMOVE;
}

/* Most inputs fit the pipe, so only what does not is copied and waited for. */
static void
start_input(OsProcess *process, const void *input, gsize size)
{
    gsize written = size > 0 ? write_input(process, input, size) : 0;

    if (written == size) {
        end_close(&process->input);
        return;
    }

    process->input_left = g_bytes_new((const guint8 *)input + written, size - written);
    process->input.watch = g_unix_fd_add(process->input.fd, G_IO_OUT, input_wanted,
                                         &process->input);
}

static void
child_exited(G_GNUC_UNUSED GPid pid, gint wait_status, gpointer user_data)
{
    OsProcess *process = user_data;

    process->child_watch = 0;
    process->status.is_signalled = WIFSIGNALED(wait_status);
    process->status.code = WIFSIGNALED(wait_status) ? WTERMSIG(wait_status)
                                                    : WEXITSTATUS(wait_status);
    tell_if_ended(process);
}

static void
child_forgotten(G_GNUC_UNUSED GPid pid, G_GNUC_UNUSED gint wait_status,
                G_GNUC_UNUSED gpointer user_data)
{
}

static void
close_on_exec_one_by_one(void)
{
    g_autoptr(GDir) directory = g_dir_open("/dev/fd", 0, NULL);
    const char *name;

    while (directory && (name = g_dir_read_name(directory))) {
        gint fd = atoi(name);

        if (fd > STDERR_FILENO)
            fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
}

/* Our own descriptors are close-on-exec from birth; this is for those that the agent inherited
 * and those of careless libraries. Done for every child: it is one cheap system call. */
static void
close_on_exec(void)
{
#ifdef SYS_close_range
    enum { CLOEXEC = 1 << 2 }; /* CLOSE_RANGE_CLOEXEC; headers are often older than kernels */

    if (syscall(SYS_close_range, STDERR_FILENO + 1, ~0u, CLOEXEC) == 0)
        return;
#endif
    close_on_exec_one_by_one();
}

/* Returns 0 or an errno value; that of a failed exec, too. */
static gint
spawn_file(const char *file, char *const *argv, char *const *environment,
           const ChildSetting *setting, pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t signals;
    gshort flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    gint error = 0;

    flags |= setting->is_detached ? POSIX_SPAWN_SETSID : 0;
    posix_spawn_file_actions_init(&actions);
    for (gint fd = 0; fd < 3 && !error; fd++)
        if (setting->fds[fd] >= 0)
            error = posix_spawn_file_actions_adddup2(&actions, setting->fds[fd], fd);
        else
            error = posix_spawn_file_actions_addopen(&actions, fd, "/dev/null",
                                                     fd ? O_WRONLY : O_RDONLY, 0);

    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, flags);
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes, &signals);
    sigaddset(&signals, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &signals);

    if (!error)
        error = posix_spawn(ret_pid, file, &actions, &attributes, argv, environment);

    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

/* A file without an interpreter line is the shell's. */
static gint
spawn_file_or_script(char *file, char *const *argv, char *const *environment,
                     const ChildSetting *setting, pid_t *ret_pid)
{
    gint error = spawn_file(file, argv, environment, setting, ret_pid);

    if (error != ENOEXEC)
        return error;

    char shell[] = "/bin/sh";
    g_autoptr(GPtrArray) script_argv = g_ptr_array_new();
    g_ptr_array_add(script_argv, shell);
    g_ptr_array_add(script_argv, file);
    for (guint i = 1; argv[i]; i++)
        g_ptr_array_add(script_argv, argv[i]);
    g_ptr_array_add(script_argv, NULL);
    return spawn_file(shell, (char *const *)script_argv->pdata, environment, setting, ret_pid);
}

static const char *
search_path(char *const *environment)
{
    for (guint i = 0; environment && environment[i]; i++)
        if (g_str_has_prefix(environment[i], "PATH="))
            return environment[i] + strlen("PATH=");

    const char *path = g_getenv("PATH");
    return path ? path : "/bin:/usr/bin:.";
}

/* Whether the search goes on behind a directory where the program did not start for this reason. */
static gboolean
is_not_here(gint error)
{
    return error == EACCES || error == ENOENT || error == ESTALE || error == ENOTDIR ||
           error == ENODEV || error == ETIMEDOUT;
}

static gint
spawn_from_path(const OsProcessSpec *spec, char *const *environment, const ChildSetting *setting,
                pid_t *ret_pid)
{
    const char *program = spec->argv[0];
    const char *entry = search_path(spec->environment), *end;
    gboolean was_denied = FALSE;
    gint error;

    do {
        end = strchrnul(entry, ':');
        /* An empty entry is the working directory. */
        g_autofree char *file = end == entry ? g_strdup(program)
                                             : g_strdup_printf("%.*s/%s", (gint)(end - entry),
                                                               entry, program);

        /* Cheaper than a child that finds nothing to execute. */
        error = access(file, F_OK) == 0 ? 0 : errno;
        if (!error)
            error = spawn_file_or_script(file, spec->argv, environment, setting, ret_pid);
        if (!is_not_here(error))
            return error;
        was_denied |= error == EACCES;
        entry = end + 1;
    } while (*end);
    return was_denied ? EACCES : error;
}

static gint
spawn(const OsProcessSpec *spec, const ChildSetting *setting, pid_t *ret_pid)
{
    char *program = spec->argv[0];
    char *const *environment = spec->environment ? spec->environment : environ;

    if (!program[0])
        return ENOENT;
    if (strchr(program, '/'))
        return spawn_file_or_script(program, spec->argv, environment, setting, ret_pid);

    return spawn_from_path(spec, environment, setting, ret_pid);
}

/* Never a standard descriptor, even if the agent was started without those: the child would
 * overwrite it by another. */
static gint
above_standard(gint fd)
{
    if (fd > STDERR_FILENO)
        return fd;

    gint moved = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    gint number = errno;
    close(fd);
    errno = number;
    return moved;
}

static gboolean
fail_pipe(GError **error)
{
    qapi_set_error(error, "Failed to create pipe for communicating with child process (%s)",
                   strerror(errno));
    return FALSE;
}

/* One end becomes ours, the other one is put where the child's descriptors are collected. */
static gboolean
open_pipe(OsProcess *process, End *end, gint *ret_child_fd, GError **error)
{
    gboolean is_input = end == &process->input;
    gint fds[2];

    if (pipe2(fds, O_CLOEXEC) < 0)
        return fail_pipe(error);

    *ret_child_fd = above_standard(fds[is_input ? 0 : 1]);
    gint ours = above_standard(fds[is_input ? 1 : 0]);
    if (ours < 0 || *ret_child_fd < 0) {
        fail_pipe(error);
        if (ours >= 0)
            close(ours);
        return FALSE;
    }
    end_open(end, process, ours);
    return TRUE;
}

static gboolean
open_pipes(OsProcess *process, const OsProcessSpec *spec, ChildSetting *setting, GError **error)
{
    if (spec->input && !open_pipe(process, &process->input, &setting->fds[0], error))
        return FALSE;
    if (spec->capture_out &&
        !open_pipe(process, &process->outputs[OS_PROCESS_OUT], &setting->fds[1], error))
        return FALSE;
    if (spec->capture_err &&
        !open_pipe(process, &process->outputs[OS_PROCESS_ERR], &setting->fds[2], error))
        return FALSE;
    if (spec->merge_err)
        setting->fds[2] = setting->fds[1];
    return TRUE;
}

static void
close_streams(ChildSetting *setting)
{
    if (setting->fds[2] != setting->fds[1] && setting->fds[2] >= 0)
        close(setting->fds[2]);
    for (guint i = 0; i < 2; i++)
        if (setting->fds[i] >= 0)
            close(setting->fds[i]);
}

static gboolean
start(OsProcess *process, const OsProcessSpec *spec, GError **error)
{
    ChildSetting setting = { { -1, -1, -1 }, spec->is_detached };
    gboolean is_open = open_pipes(process, spec, &setting, error);
    gint number = 0;

    if (is_open) {
        close_on_exec();
        number = spawn(spec, &setting, &process->pid);
    }
    close_streams(&setting);
    if (number)
        g_set_error(error, OS_PROCESS_ERROR, number, "Failed to execute child process “%s” (%s)",
                    spec->argv[0], strerror(number));
    return is_open && !number;
}

OsProcess *
os_process_start(const OsProcessSpec *spec, const OsProcessEvents *events, gpointer owner,
                 GError **error)
{
    g_autoptr(OsProcess) process = g_new0(OsProcess, 1);

    process->events = events;
    process->owner = owner;
    process->input.fd = process->outputs[0].fd = process->outputs[1].fd = -1;
    if (!start(process, spec, error))
        return NULL;

    process->child_watch = g_child_watch_add(process->pid, child_exited, process);
    for (guint i = 0; i < G_N_ELEMENTS(process->outputs); i++)
        if (process->outputs[i].fd >= 0)
            process->outputs[i].watch = g_unix_fd_add(process->outputs[i].fd, G_IO_IN,
                                                      output_arrived, &process->outputs[i]);
    if (spec->input)
        start_input(process, spec->input, spec->input_size);
    return g_steal_pointer(&process);
}

gboolean
os_process_has_left_input(const OsProcess *process)
{
    return process->has_left_input || process->input_left;
}

void
os_process_kill(OsProcess *process)
{
    /* A group has its leader's number as long as one of it lives. When the leader is reaped and
     * the rest is gone too, the number may be another's; only its output still open tells that
     * there is a rest. */
    if (process->child_watch || process->outputs[OS_PROCESS_OUT].fd >= 0 ||
        process->outputs[OS_PROCESS_ERR].fd >= 0)
        kill(-process->pid, SIGKILL);
}

gint64
os_process_pid(const OsProcess *process)
{
    return process->pid;
}

gsize
os_process_pending_input(const OsProcess *process)
{
    return process->input_left ? g_bytes_get_size(process->input_left) : 0;
}

void
os_process_free(OsProcess *process)
{
    if (!process)
        return;

    end_close(&process->input);
    g_clear_pointer(&process->input_left, g_bytes_unref);
    end_close(&process->outputs[OS_PROCESS_OUT]);
    end_close(&process->outputs[OS_PROCESS_ERR]);
    if (process->child_watch) {
        /* Somebody must still reap it, or it would stay a zombie for the agent's life. */
        g_source_remove(process->child_watch);
        g_child_watch_add(process->pid, child_forgotten, NULL);
    }
    g_free(process);
}
