/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signals as input of the main loop, through a signalfd. GLib's own signal sources
 * start a thread for it, a tenth of the time that the agent takes to its first
 * answer. The signals stay blocked in the agent; children get an empty mask.
 */
#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "platform/service.h"

typedef struct {
    const OsServiceEvents *events;
    gpointer owner;
} Watch;

static gboolean
on_signal(gint fd, G_GNUC_UNUSED GIOCondition condition, gpointer user_data)
{
    const Watch *watch = user_data;
    struct signalfd_siginfo info;

    if (read(fd, &info, sizeof info) != sizeof info)
        return G_SOURCE_CONTINUE;
    if (info.ssi_signo == SIGUSR1)
        watch->events->toggle_verbose(watch->owner);
    else
        watch->events->stop(watch->owner, (gint)info.ssi_signo);
    return G_SOURCE_CONTINUE;
}

void
os_service_watch(const OsServiceEvents *events, gpointer owner)
{
    Watch *watch = g_new(Watch, 1);
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGUSR1);

    gint fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0) {
        /* They keep their default action, which ends the agent, if less gently. */
        g_warning("signals cannot be watched: %s", strerror(errno));
        g_free(watch);
        return;
    }
    *watch = (Watch){ events, owner };
    sigprocmask(SIG_BLOCK, &signals, NULL);
    g_unix_fd_add_full(G_PRIORITY_HIGH, fd, G_IO_IN, on_signal, watch, g_free);
}
