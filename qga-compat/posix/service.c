/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The agent's process: what it inherits, how it goes to the background. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/service.h"
#include "runtime/qapi-error.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

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

gint64
os_service_pid(void)
{
    return getpid();
}

void
os_service_prepare(void)
{
    tune_memory();
    open_standard_streams();
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_DFL); /* inherited as ignored, it would take our children's exit codes */
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
