/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A thread takes the signals instead of a handler, which could reach the
 * subcommand only through a global variable.
 */
#include "novacronctl/interrupt.h"

#include <pthread.h>
#include <signal.h>

static sigset_t
watched_signals(void)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    return signals;
}

static gpointer
watch(gpointer data)
{
    g_autoptr(GCancellable) cancellable = data;
    sigset_t signals = watched_signals();
    int number;

    sigwait(&signals, &number);
    g_cancellable_cancel(cancellable);
    pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
    /* The thread stays: it is the one that the next signal can hit. */
    for (;;)
        g_usleep(G_MAXINT);
    return NULL;
}

GCancellable *
interrupt_watch(void)
{
    GCancellable *cancellable = g_cancellable_new();
    sigset_t signals = watched_signals();

    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    g_thread_unref(g_thread_new("signals", watch, g_object_ref(cancellable)));
    return cancellable;
}
