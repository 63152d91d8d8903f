/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A thread takes them, as in interrupt.c. */
#include "novacronctl/signals.h"

#include <errno.h>
#include <glib-unix.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

typedef struct {
    sigset_t signals;
    int fd;
} Watch;

static gpointer
watch(gpointer data)
{
    const Watch *watched = data;

    for (;;) {
        int number;
        if (sigwait(&watched->signals, &number) != 0)
            continue;
        guint8 byte = (guint8)number;
        if (write(watched->fd, &byte, 1) < 0 && errno != EAGAIN)
            return NULL;
    }
}

int
signals_open(const int *numbers, GError **error)
{
    int ends[2];

    if (!g_unix_open_pipe(ends, FD_CLOEXEC, error) ||
        !g_unix_set_fd_nonblocking(ends[1], TRUE, error))
        return -1;

    Watch *watched = g_new0(Watch, 1);
    watched->fd = ends[1];
    sigemptyset(&watched->signals);
    for (gsize i = 0; numbers[i] != 0; i++)
        sigaddset(&watched->signals, numbers[i]);
    pthread_sigmask(SIG_BLOCK, &watched->signals, NULL);
    g_thread_unref(g_thread_new("signals", watch, watched));
    return ends[0];
}
