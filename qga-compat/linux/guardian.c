/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guardian of a freeze, as the agent has it: a socket. It is in the state directory:
 * that is how the agent that has forked the process talks to it, and how the next agent
 * finds it.
 */
#include "linux/guardian.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "linux/guardian-process.h"
#include "runtime/qapi-error.h"

/* Who comes while it is not scheduled waits; who would not fit would take it for absent. */
#define BACKLOG 64

/* For the process to answer RELEASED. It wants a few microseconds. */
#define RELEASE_MS 1000

struct OsGuardian {
    gint fd;
    guint watch;
    guint timer;
    gint64 deadline;
    const OsGuardianEvents *events;
    gpointer owner;
};

/* By way of the descriptor: the path of a directory may be longer than an address. */
static struct sockaddr_un
address_in(gint directory)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/" OS_GUARDIAN_SOCKET,
             directory);
    return address;
}

static gint
open_socket(void)
{
    return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static gboolean
bind_private(gint fd, gint directory)
{
    struct sockaddr_un address = address_in(directory);

    if (unlinkat(directory, OS_GUARDIAN_SOCKET, 0) != 0 && errno != ENOENT)
        return FALSE;
    /* The file gets the mode of the socket. The umask is that of all threads. */
    return fchmod(fd, 0600) == 0 &&
           bind(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
           listen(fd, BACKLOG) == 0;
}

static gboolean
connect_in(gint fd, gint directory)
{
    struct sockaddr_un address = address_in(directory);

    return connect(fd, (const struct sockaddr *)&address, sizeof address) == 0;
}

static gboolean
tell_ended(OsGuardian *guardian, gboolean has_expired)
{
    guardian->watch = 0;
    if (guardian->timer)
        g_source_remove(guardian->timer);
    guardian->timer = 0;
    guardian->events->ended(guardian->owner, has_expired);
    return G_SOURCE_REMOVE;
}

static gboolean
on_readable(gint fd, G_GNUC_UNUSED GIOCondition condition, gpointer user_data)
{
    OsGuardian *guardian = user_data;
    OsGuardianMessage message = { .letter = 0 };

    if (!os_guardian_hear(fd, &message) && (errno == EAGAIN || errno == EINTR))
        return G_SOURCE_CONTINUE;
    if (message.letter != OS_GUARDIAN_KEPT)
        return tell_ended(guardian, message.letter == OS_GUARDIAN_EXPIRED);
    guardian->deadline = message.deadline;
    guardian->events->told(guardian->owner, message.deadline, message.count);
    return G_SOURCE_CONTINUE;
}

static OsGuardian *
guardian_new(gint fd, gint64 deadline, const OsGuardianEvents *events, gpointer owner)
{
    OsGuardian *guardian = g_new0(OsGuardian, 1);

    guardian->fd = fd;
    guardian->deadline = deadline;
    guardian->events = events;
    guardian->owner = owner;
    guardian->watch = g_unix_fd_add(fd, G_IO_IN, on_readable, guardian);
    return guardian;
}

/* The agent's end comes before the fork, so that it is the first in the queue. FALSE: errno. */
static gboolean
start_in(const OsGuardianSpec *spec, gint directory, gint listener, gint connection)
{
    if (listener < 0 || connection < 0 || !bind_private(listener, directory) ||
        !connect_in(connection, directory))
        return FALSE;

    gboolean is_running = os_guardian_process_start(spec, directory, listener);
    gint number = errno;

    if (!is_running)
        unlinkat(directory, OS_GUARDIAN_SOCKET, 0);
    errno = number;
    return is_running;
}

static void
close_if_open(gint fd)
{
    if (fd >= 0)
        close(fd);
}

OsGuardian *
os_guardian_fork(const OsGuardianSpec *spec, const OsGuardianEvents *events, gpointer owner,
                 GError **error)
{
    gint directory = open(spec->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    gint listener = open_socket(), connection = open_socket();

    if (directory >= 0 && start_in(spec, directory, listener, connection)) {
        close(directory);
        close(listener);
        return guardian_new(connection, spec->deadline, events, owner);
    }
    qapi_set_errno(error, errno, "failed to start the guardian of the freeze");
    close_if_open(directory);
    close_if_open(listener);
    close_if_open(connection);
    return NULL;
}

/* -1: there is none. */
static gint
connect_to(const char *directory)
{
    gint folder = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    gint connection = open_socket();
    gboolean is_there = folder >= 0 && connection >= 0 && connect_in(connection, folder);

    close_if_open(folder);
    if (is_there)
        return connection;
    close_if_open(connection);
    return -1;
}

OsGuardian *
os_guardian_find(const char *directory, const OsGuardianEvents *events, gpointer owner)
{
    gint connection = connect_to(directory);

    if (connection < 0)
        return NULL;
    /* What it keeps. */
    os_guardian_tell(connection, (OsGuardianMessage){ .letter = OS_GUARDIAN_KEEP });
    return guardian_new(connection, 0, events, owner);
}

gboolean
os_guardian_exists(const char *directory)
{
    gint connection = connect_to(directory);

    close_if_open(connection);
    return connection >= 0;
}

void
os_guardian_dismiss(const char *directory)
{
    gint connection = connect_to(directory);

    if (connection >= 0)
        os_guardian_tell(connection, (OsGuardianMessage){ .letter = OS_GUARDIAN_RELEASED });
    close_if_open(connection);
}

void
os_guardian_freezing_is_over(OsGuardian *guardian, gint64 count)
{
    OsGuardianMessage message = { .count = count, .letter = OS_GUARDIAN_FREEZING_IS_OVER };

    os_guardian_tell(guardian->fd, message);
}

void
os_guardian_keep(OsGuardian *guardian, gint64 deadline)
{
    OsGuardianMessage message = { .deadline = deadline, .letter = OS_GUARDIAN_KEEP };

    os_guardian_tell(guardian->fd, message);
}

static gboolean
on_silence(gpointer user_data)
{
    OsGuardian *guardian = user_data;

    guardian->timer = 0;
    g_source_remove(guardian->watch);
    return tell_ended(guardian, guardian->deadline && g_get_monotonic_time() >= guardian->deadline);
}

void
os_guardian_release(OsGuardian *guardian)
{
    os_guardian_tell(guardian->fd, (OsGuardianMessage){ .letter = OS_GUARDIAN_RELEASED });
    guardian->timer = g_timeout_add(RELEASE_MS, on_silence, guardian);
}

void
os_guardian_free(OsGuardian *guardian)
{
    if (!guardian)
        return;
    if (guardian->watch)
        g_source_remove(guardian->watch);
    if (guardian->timer)
        g_source_remove(guardian->timer);
    close(guardian->fd);
    g_free(guardian);
}
