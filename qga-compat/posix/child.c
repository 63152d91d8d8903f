/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Children by fork(): between it and the exec the child changes its user, folder,
 * terminal and group, for which posix_spawn() has no words. The agent has threads, so that
 * the child only makes system calls, on what was prepared before.
 *
 * Why it could not go on comes through a pipe that the exec closes.
 */
#include "platform/child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pty.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/refusal.h"
#include "posix/user.h"

#define FIRST_OTHER (STDERR_FILENO + 1)

/* What a child was about to do when it could not go on. */
typedef enum { CONTROL, RIGHTS, DIRECTORY, TERMINAL, EXECUTE } Step;

typedef struct {
    Step step;
    gint number; /* errno */
} Failure;

/* What the child needs, prepared. */
typedef struct {
    const OsChildSpec *spec;
    const OsUser *user;
    const guint *gid; /* NULL: the user's */
    char **environment;
    gint streams[3]; /* become its standard streams; with a terminal all the same */
    gint control;    /* the open file of the control group, or -1 */
    gint report;
} Plan;

void
os_child_spec_free(OsChildSpec *spec)
{
    if (!spec)
        return;
    g_strfreev(spec->argv);
    g_strfreev(spec->environment);
    g_free(spec->directory);
    g_free(spec->user);
    g_free(spec->group);
    g_free(spec->control_file);
    g_free(spec);
}

/* Only system calls, from here on to run_child(). */

static gboolean
enter_control_group(const Plan *plan)
{
    return plan->control < 0 || write(plan->control, "0", 1) == 1;
}

static gboolean
take_rights(const Plan *plan)
{
    const OsUser *user = plan->user;

    if (!user && !plan->gid)
        return TRUE;
    gid_t gid = plan->gid ? *plan->gid : user->gid;
    return (user ? setgroups((size_t)user->n_groups, user->groups) : setgroups(1, &gid)) == 0 &&
           setresgid(gid, gid, gid) == 0 &&
           (!user || setresuid(user->uid, user->uid, user->uid) == 0);
}

static gboolean
enter_directory(const Plan *plan)
{
    const char *directory = plan->spec->directory;

    if (directory)
        return chdir(directory) == 0;
    /* As a login does: a home that is not there is no reason. */
    return !plan->user || chdir(plan->user->home) == 0 || chdir("/") == 0;
}

static gboolean
take_streams(const Plan *plan)
{
    setsid();
    for (gint fd = 0; fd < FIRST_OTHER; fd++)
        if (dup2(plan->streams[fd], fd) < 0)
            return FALSE;
    return !plan->spec->has_terminal || ioctl(STDIN_FILENO, TIOCSCTTY, 0) == 0;
}

static void
restore_signals(void)
{
    sigset_t none;

    for (gint number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* All descriptors of the agent are close-on-exec; this is for those that libraries opened. */
static void
close_on_exec(void)
{
#ifdef SYS_close_range
    enum { CLOEXEC = 1 << 2 };

    if (syscall(SYS_close_range, FIRST_OTHER, ~0u, CLOEXEC) == 0)
        return;
#endif
    for (gint fd = FIRST_OTHER; fd < (gint)sysconf(_SC_OPEN_MAX); fd++)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static void G_GNUC_NORETURN
run_child(const Plan *plan)
{
    static gboolean (*const steps[])(const Plan *plan) = {
        [CONTROL] = enter_control_group,
        [RIGHTS] = take_rights,
        [DIRECTORY] = enter_directory,
        [TERMINAL] = take_streams,
    };
    Failure failure = { CONTROL, 0 };

    restore_signals();
    while (failure.step < EXECUTE && steps[failure.step](plan))
        failure.step++;
    if (failure.step == EXECUTE) {
        close_on_exec();
        environ = plan->environment;
        execvp(plan->spec->argv[0], plan->spec->argv);
    }
    failure.number = errno;
    while (write(plan->report, &failure, sizeof failure) < 0 && errno == EINTR)
        ;
    _exit(127);
}

static void
close_if_open(gint *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void
plan_clear(Plan *plan)
{
    if (plan->spec->has_terminal)
        plan->streams[1] = plan->streams[2] = -1;
    for (guint i = 0; i < G_N_ELEMENTS(plan->streams); i++)
        close_if_open(&plan->streams[i]);
    close_if_open(&plan->control);
    close_if_open(&plan->report);
    g_strfreev(plan->environment);
}

static void
child_clear(OsChild *child)
{
    close_if_open(&child->in);
    close_if_open(&child->out);
    close_if_open(&child->err);
}

/* Not a standard stream, which the child overwrites; not blocking on our side. */
static gint
place(gint fd, gboolean is_ours)
{
    gint moved = fd < 0 || fd >= FIRST_OTHER ? fd : fcntl(fd, F_DUPFD_CLOEXEC, FIRST_OTHER);

    if (moved != fd)
        close(fd);
    if (is_ours && moved >= 0)
        fcntl(moved, F_SETFL, fcntl(moved, F_GETFL) | O_NONBLOCK);
    return moved;
}

static gboolean
open_pipe(gint *ret_read, gboolean read_is_ours, gint *ret_write, gboolean write_is_ours)
{
    gint fds[2];

    if (pipe2(fds, O_CLOEXEC) < 0)
        return FALSE;
    *ret_read = place(fds[0], read_is_ours);
    *ret_write = place(fds[1], write_is_ours);
    return *ret_read >= 0 && *ret_write >= 0;
}

static gboolean
open_terminal(const OsChildSpec *spec, Plan *plan, OsChild *child)
{
    struct winsize size = { .ws_row = spec->rows, .ws_col = spec->columns };
    gint ours, theirs;

    if (openpty(&ours, &theirs, NULL, NULL, &size) < 0)
        return FALSE;
    fcntl(ours, F_SETFD, FD_CLOEXEC);
    fcntl(theirs, F_SETFD, FD_CLOEXEC);
    /* so that the user can open it by its name; where that fails, the streams still work */
    if (plan->user && fchown(theirs, plan->user->uid, (gid_t)-1) < 0)
        g_debug("fchown: %s", g_strerror(errno));
    child->out = place(ours, TRUE);
    plan->streams[0] = plan->streams[1] = plan->streams[2] = place(theirs, FALSE);
    return child->out >= 0 && plan->streams[0] >= 0;
}

static gboolean
open_streams(const OsChildSpec *spec, Plan *plan, OsChild *child)
{
    if (spec->has_terminal)
        return open_terminal(spec, plan, child);
    if (spec->has_input
            ? !open_pipe(&plan->streams[0], FALSE, &child->in, TRUE)
            : (plan->streams[0] = place(open("/dev/null", O_RDONLY | O_CLOEXEC), FALSE)) < 0)
        return FALSE;
    return open_pipe(&child->out, TRUE, &plan->streams[1], FALSE) &&
           open_pipe(&child->err, TRUE, &plan->streams[2], FALSE);
}

/* A user's program has that user's home and name in its environment, as after a login. */
static char **
environment_for(const OsChildSpec *spec, const OsUser *user)
{
    if (spec->environment)
        return g_strdupv(spec->environment);

    char **environment = g_get_environ();
    if (user) {
        environment = g_environ_setenv(environment, "HOME", user->home, TRUE);
        environment = g_environ_setenv(environment, "USER", user->name, TRUE);
        environment = g_environ_setenv(environment, "LOGNAME", user->name, TRUE);
    }
    if (spec->has_terminal)
        environment = g_environ_setenv(environment, "TERM", "xterm-256color", FALSE);
    return environment;
}

/* Nothing: the exec has closed the pipe. */
static gboolean
read_failure(gint fd, Failure *ret_failure)
{
    gssize size;

    do
        size = read(fd, ret_failure, sizeof *ret_failure);
    while (size < 0 && errno == EINTR);
    return size == (gssize)sizeof *ret_failure;
}

static void
refuse(const OsChildSpec *spec, const Failure *failure, GError **error)
{
    switch (failure->step) {
    case CONTROL:
        ga_refuse_errno(error, failure->number, "cannot enter the control group");
        break;
    case RIGHTS:
        ga_refuse_errno(error, failure->number, "cannot %s '%s'",
                        spec->user ? "become user" : "take group",
                        spec->user ? spec->user : spec->group);
        break;
    case DIRECTORY:
        ga_refuse_errno(error, failure->number, "cannot enter '%s'", spec->directory);
        break;
    case TERMINAL:
        ga_refuse_errno(error, failure->number, "cannot take the standard streams");
        break;
    case EXECUTE:
        ga_refuse_errno(error, failure->number, "cannot execute '%s'", spec->argv[0]);
        break;
    }
}

/* TRUE: the program runs. */
static gboolean
fork_child(Plan *plan, OsChild *child, GError **error)
{
    gint reports;
    Failure failure;
    sigset_t all, before;

    if (!open_pipe(&reports, FALSE, &plan->report, FALSE)) {
        ga_refuse_errno(error, errno, "cannot start a child");
        return FALSE;
    }
    sigfillset(&all); /* a handler of the agent's must not run in the child */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid == 0)
        run_child(plan);
    gint number = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close_if_open(&plan->report);

    gboolean has_failed = pid < 0 || read_failure(reports, &failure);
    close(reports);
    if (!has_failed) {
        child->pid = pid;
        return TRUE;
    }
    if (pid < 0) {
        ga_refuse_errno(error, number, "cannot start a child");
        return FALSE;
    }
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    refuse(plan->spec, &failure, error);
    return FALSE;
}

static gboolean
prepare(Plan *plan, OsChild *child, GError **error)
{
    const OsChildSpec *spec = plan->spec;

    if (spec->control_file) {
        plan->control = place(open(spec->control_file, O_WRONLY | O_CLOEXEC), FALSE);
        if (plan->control < 0) {
            ga_refuse_errno(error, errno, "cannot open '%s'", spec->control_file);
            return FALSE;
        }
    }
    if (!open_streams(spec, plan, child)) {
        ga_refuse_errno(error, errno, "cannot make the standard streams");
        return FALSE;
    }
    plan->environment = environment_for(spec, plan->user);
    return TRUE;
}

/* Both stay as they are where nothing is asked for. FALSE: refused. */
static gboolean
look_up(const OsChildSpec *spec, OsUser **ret_user, guint *ret_gid, GError **error)
{
    if (spec->group && !os_group_find(spec->group, ret_gid))
        ga_refuse(error, GA_REFUSAL_NOT_FOUND, "there is no group '%s'", spec->group);
    else if (spec->user && !(*ret_user = os_user_find(spec->user)))
        ga_refuse(error, GA_REFUSAL_NOT_FOUND, "there is no user '%s'", spec->user);
    else
        return TRUE;
    return FALSE;
}

gboolean
os_child_start(const OsChildSpec *spec, OsChild *ret_child, GError **error)
{
    g_autoptr(OsUser) user = NULL;
    guint gid;

    if (!look_up(spec, &user, &gid, error))
        return FALSE;
    Plan plan = { .spec = spec,
                  .user = user,
                  .gid = spec->group ? &gid : NULL,
                  .streams = { -1, -1, -1 },
                  .control = -1,
                  .report = -1 };
    OsChild child = { 0, -1, -1, -1 };
    gboolean is_running = prepare(&plan, &child, error) && fork_child(&plan, &child, error);
    plan_clear(&plan);
    if (is_running)
        *ret_child = child;
    else
        child_clear(&child);
    return is_running;
}

gint
os_signal_number(const char *name)
{
    static const struct {
        const char *name;
        gint number;
    } signals[] = {
        { "ABRT", SIGABRT }, { "ALRM", SIGALRM }, { "CONT", SIGCONT }, { "HUP", SIGHUP },
        { "INT", SIGINT },   { "KILL", SIGKILL }, { "PIPE", SIGPIPE }, { "QUIT", SIGQUIT },
        { "STOP", SIGSTOP }, { "TERM", SIGTERM }, { "TSTP", SIGTSTP }, { "TTIN", SIGTTIN },
        { "TTOU", SIGTTOU }, { "USR1", SIGUSR1 }, { "USR2", SIGUSR2 }, { "WINCH", SIGWINCH },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(signals); i++)
        if (strcmp(signals[i].name, name) == 0)
            return signals[i].number;
    return 0;
}

gboolean
os_child_signal(gint64 pid, gint number)
{
    return kill(-(pid_t)pid, number) == 0;
}

gboolean
os_child_resize(gint out, guint16 columns, guint16 rows)
{
    struct winsize size = { .ws_row = rows, .ws_col = columns };

    return ioctl(out, TIOCSWINSZ, &size) == 0;
}
