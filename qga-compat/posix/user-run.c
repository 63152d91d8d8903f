/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Work in a user's name. The rights of the agent's own process never change: they are those of
 * all its threads, and of what the kernel does for them meanwhile.
 *
 * The child gives up everything for good, not just its effective user: it cannot become root again,
 * it has no descriptor of the agent, and the user cannot look into its memory, which is a copy of
 * the agent's.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "posix/user.h"
#include "runtime/qapi-error.h"

#ifdef __linux__
#include <sys/prctl.h>
#endif

/* The child is done when it writes a byte to its standard input. */
#define DONE_FD STDIN_FILENO

/* How far the child came, in memory that both have. */
typedef struct {
    enum { STEP_GROUPS, STEP_GROUP, STEP_USER, STEP_WORK } step;
    gint number; /* an errno value; 0: no failure */
} Progress;

gpointer
os_shared_new(gsize size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

void
os_shared_free(gpointer memory, gsize size)
{
    if (memory)
        munmap(memory, size);
}

/* Only what may be called in the child, from here on to run_child(). */

static void
close_the_rest(void)
{
    struct rlimit limit;

#ifdef SYS_close_range
    if (syscall(SYS_close_range, DONE_FD + 1, ~0u, 0) == 0)
        return;
#endif
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        for (rlim_t fd = DONE_FD + 1; fd < limit.rlim_cur; fd++)
            close((gint)fd);
}

static gboolean
become(const OsUser *user, Progress *progress)
{
    progress->step = STEP_GROUPS;
    if (setgroups((size_t)user->n_groups, user->groups) < 0)
        return FALSE;
    progress->step = STEP_GROUP;
    if (setresgid(user->gid, user->gid, user->gid) < 0)
        return FALSE;
    progress->step = STEP_USER;
    if (setresuid(user->uid, user->uid, user->uid) < 0)
        return FALSE;
#ifdef __linux__
    prctl(PR_SET_DUMPABLE, 0);
#endif
    progress->step = STEP_WORK;
    return TRUE;
}

static void G_GNUC_NORETURN
run_child(const OsUser *user, Progress *progress, gint done_fd, void (*work)(gpointer data),
          gpointer data)
{
    dup2(done_fd, DONE_FD);
    close_the_rest();
    if (become(user, progress))
        work(data);
    else
        progress->number = errno;
    _exit(write(DONE_FD, "", 1) == 1 ? 0 : 1);
}

static void
child_forgotten(G_GNUC_UNUSED GPid pid, G_GNUC_UNUSED gint wait_status,
                G_GNUC_UNUSED gpointer user_data)
{
}

/* Whether the byte came. Reaps the child, or lets the main loop do it some time. */
static gboolean
wait_for_child(pid_t pid, gint done_fd, guint time_limit)
{
    struct pollfd end = { done_fd, POLLIN, 0 };
    gint64 deadline = g_get_monotonic_time() + (gint64)time_limit * 1000;
    gint n_ready;
    char byte;

    do
        n_ready = poll(&end, 1, (gint)MAX((deadline - g_get_monotonic_time()) / 1000, 0));
    while (n_ready < 0 && errno == EINTR);
    if (n_ready <= 0) {
        kill(pid, SIGKILL);
        g_child_watch_add(pid, child_forgotten, NULL);
        return FALSE;
    }

    gboolean is_done = read(done_fd, &byte, 1) == 1;
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return is_done;
}

/* The texts are upstream's, which only lends itself the user's rights. */
static gboolean
judge(const OsUser *user, const Progress *progress, GError **error)
{
    static const char *const steps[] = { [STEP_GROUPS] = "group",
                                         [STEP_GROUP] = "effective group ID",
                                         [STEP_USER] = "effective user ID" };

    if (progress->step == STEP_WORK)
        return TRUE;
    qapi_set_errno(error, progress->number, "failed to set %s for user '%s'", steps[progress->step],
                   user->name);
    return FALSE;
}

static gboolean
run(const OsUser *user, Progress *progress, gint *done_fds, void (*work)(gpointer data),
    gpointer data, guint time_limit, GError **error)
{
    pid_t pid = fork();

    if (pid < 0) {
        qapi_set_errno(error, errno, "failed to create child process");
        return FALSE;
    }
    if (pid == 0)
        run_child(user, progress, done_fds[1], work, data);

    close(done_fds[1]);
    done_fds[1] = -1;
    if (!wait_for_child(pid, done_fds[0], time_limit)) {
        qapi_set_error(error, "child process for user '%s' has not come to its end", user->name);
        return FALSE;
    }
    return judge(user, progress, error);
}

gboolean
os_user_run(const OsUser *user, void (*work)(gpointer data), gpointer data, guint time_limit,
            GError **error)
{
    Progress *progress = os_shared_new(sizeof *progress);
    gint done_fds[2];

    if (!progress || pipe2(done_fds, O_CLOEXEC) < 0) {
        qapi_set_errno(error, errno, "failed to create child process");
        os_shared_free(progress, sizeof *progress);
        return FALSE;
    }

    gboolean is_done = run(user, progress, done_fds, work, data, time_limit, error);
    for (guint i = 0; i < G_N_ELEMENTS(done_fds); i++)
        if (done_fds[i] >= 0)
            close(done_fds[i]);
    os_shared_free(progress, sizeof *progress);
    return is_done;
}
