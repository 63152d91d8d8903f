/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The agent's process: what it inherits, how it goes to the background, its signals. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/service.h"
#include "runtime/qapi-error.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

typedef struct {
    const OsServiceEvents *events;
    gpointer owner;
    gint signal;
} Watch;

/* Otherwise the first files opened would be taken for the standard streams. */
static void
open_standard_streams(void)
{
    gint fd;

    do
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO)
        close(fd);
}

/* What the agent was started with is none of the business of what guest-exec starts. */
static void
keep_descriptors_from_children(void)
{
#ifdef CLOSE_RANGE_CLOEXEC
    if (close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
        return;
#endif
    DIR *directory = opendir("/dev/fd");
    const struct dirent *entry;

    if (!directory)
        return;
    while ((entry = readdir(directory))) {
        gint fd = atoi(entry->d_name);
        if (fd > STDERR_FILENO)
            fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
    closedir(directory);
}

static void
tune_memory(void)
{
#ifdef __GLIBC__
    /* Buffers of a few requests' size are used over and over, without page faults; the 48 MiB of a
     * large guest-file-read go back to the system. All threads share one heap, so that what one
     * frees the others use. */
    mallopt(M_MMAP_THRESHOLD, 4 << 20);
    mallopt(M_TRIM_THRESHOLD, 8 << 20);
    mallopt(M_ARENA_MAX, 1);
#endif
}

void
os_service_prepare(void)
{
    tune_memory();
    open_standard_streams();
    keep_descriptors_from_children();
    signal(SIGPIPE, SIG_IGN);
}

static gboolean
go_on_in_child(GError **error)
{
    pid_t pid = fork();

    if (pid < 0) {
        qapi_set_errno(error, errno, "failed to fork");
        return FALSE;
    }
    if (pid > 0)
        _exit(EXIT_SUCCESS); /* nothing is flushed or removed: all of it is the child's now */
    return TRUE;
}

static gboolean
silence_standard_streams(void)
{
    gint fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    gboolean is_silent = fd >= 0;

    for (gint stream = STDIN_FILENO; stream <= STDERR_FILENO; stream++)
        is_silent = is_silent && dup2(fd, stream) >= 0;
    if (fd > STDERR_FILENO)
        close(fd);
    return is_silent;
}

static gboolean
detach(GError **error)
{
    umask(S_IRWXG | S_IRWXO);
    if (setsid() >= 0 && chdir("/") == 0 && silence_standard_streams())
        return TRUE;
    qapi_set_errno(error, errno, "failed to go to the background");
    return FALSE;
}

gboolean
os_service_daemonize(const char *pid_path, OsPidFile **ret_pid_file, GError **error)
{
    g_autoptr(OsPidFile) pid_file = NULL;

    if (!go_on_in_child(error))
        return FALSE;
    /* While it can still be told on standard error that there is another agent. */
    if (pid_path && !(pid_file = os_pid_file_open(pid_path, error)))
        return FALSE;
    if (!detach(error))
        return FALSE;
    *ret_pid_file = g_steal_pointer(&pid_file);
    return TRUE;
}

static gboolean
on_stop(gpointer user_data)
{
    const Watch *watch = user_data;

    watch->events->stop(watch->owner, watch->signal);
    return G_SOURCE_CONTINUE;
}

static gboolean
on_toggle(gpointer user_data)
{
    const Watch *watch = user_data;

    watch->events->toggle_verbose(watch->owner);
    return G_SOURCE_CONTINUE;
}

static void
watch_signal(gint number, GSourceFunc func, const OsServiceEvents *events, gpointer owner)
{
    Watch *watch = g_new(Watch, 1);

    *watch = (Watch){ events, owner, number };
    g_unix_signal_add_full(G_PRIORITY_HIGH, number, func, watch, g_free);
}

void
os_service_watch(const OsServiceEvents *events, gpointer owner)
{
    watch_signal(SIGTERM, on_stop, events, owner);
    watch_signal(SIGINT, on_stop, events, owner);
    watch_signal(SIGUSR1, on_toggle, events, owner);
}
