/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A worker is an agent with another table and one session, whose channel waits for its peer. */
#include "extensions/worker/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/agent.h"
#include "core/refusal.h"
#include "core/session.h"
#include "extensions/worker/sandbox.h"

/* The channel. Its end is the process's. */

static gssize
channel_write(G_GNUC_UNUSED GaChannel *channel, const void *data, gsize size)
{
    const char *bytes = data;

    for (gsize sent = 0; sent < size;) {
        gssize count = send(STDIN_FILENO, bytes + sent, size - sent, MSG_NOSIGNAL);

        if (count < 0 && errno != EINTR)
            _exit(EXIT_SUCCESS); /* nobody waits for it */
        sent += count > 0 ? (gsize)count : 0;
    }
    return (gssize)size;
}

static void
channel_set_reading(G_GNUC_UNUSED GaChannel *channel, G_GNUC_UNUSED gboolean reading)
{
}

static void
channel_end_peer(G_GNUC_UNUSED GaChannel *channel)
{
}

static gboolean
on_readable(gint fd, G_GNUC_UNUSED GIOCondition condition, gpointer user_data)
{
    const GaChannel *channel = user_data;
    gsize room;
    guint8 *buffer = channel->events->reserve(channel->owner, &room);
    gssize count = read(fd, buffer, room);

    if (count == 0 || (count < 0 && errno != EINTR))
        _exit(EXIT_SUCCESS); /* as watch() does: what libraries do at an exit is not allowed here */
    if (count > 0)
        channel->events->received(channel->owner, (gsize)count);
    return G_SOURCE_CONTINUE;
}

static GaChannel *
channel_open(G_GNUC_UNUSED const GaEndpoint *endpoint, const GaChannelEvents *events,
             gpointer owner, G_GNUC_UNUSED GError **error)
{
    static const GaChannelClass class = { .write = channel_write,
                                          .set_reading = channel_set_reading,
                                          .end_peer = channel_end_peer };
    GaChannel *channel = g_new(GaChannel, 1);

    *channel = (GaChannel){ &class, events, owner };
    g_unix_fd_add(STDIN_FILENO, G_IO_IN, on_readable, channel);
    return channel;
}

/* A thread: what is being done does not outlive the agent. A lock of a server would, for as long
 * as the connection lasts. */
static gpointer
watch(G_GNUC_UNUSED gpointer data)
{
    struct pollfd poller = { STDIN_FILENO, POLLRDHUP, 0 };

    while (poll(&poller, 1, -1) < 0)
        ;
    _exit(EXIT_SUCCESS);
}

/* Sockets. */

char *
ga_worker_pin_socket(const char *path, guint uid, GError **error)
{
    gint fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC); /* until the end */
    struct stat status;

    if (fd < 0 || fstat(fd, &status) < 0) {
        ga_refuse_errno(error, errno, "cannot open '%s'", path);
        return NULL;
    }
    if (!S_ISSOCK(status.st_mode) || (status.st_uid != uid && status.st_uid != 0)) {
        ga_refuse(error, GA_REFUSAL_PERMISSION, "'%s' is no socket of user %u", path, uid);
        return NULL;
    }
    return g_strdup_printf("/proc/self/fd/%d", fd);
}

/* Starting. */

static gboolean
settle_in(guint uid, GError **error)
{
    if (!ga_sandbox_take_rights(uid, error))
        return FALSE;
    g_thread_unref(g_thread_new("watch", watch, NULL));
    return ga_sandbox_enter(error);
}

const char *
ga_worker_user(void)
{
    return g_getenv("USER");
}

/* Between commands. */

static gpointer
memory_open(G_GNUC_UNUSED GaAgent *agent)
{
    return g_new0(gpointer, 1);
}

static void
memory_close(gpointer state)
{
    g_free(state);
}

gpointer *
ga_worker_memory(GaAgent *agent)
{
    static const GaSlot slot = { "memory", memory_open, memory_close };

    return ga_agent_slot(agent, &slot);
}

static gboolean
read_uid(const char *text, guint *ret_uid)
{
    char *end;
    guint64 uid = g_ascii_strtoull(text, &end, 10);

    *ret_uid = (guint)uid;
    return g_ascii_isdigit(*text) && *end == '\0' && uid < G_MAXUINT32;
}

int
ga_worker_serve(int argc, char **argv, const GaCommandTable *table)
{
    static const GaEndpoint endpoint = { .fd = -1 };
    g_autoptr(GError) error = NULL;
    guint uid;

    if (argc != 2 || !read_uid(argv[1], &uid)) {
        fprintf(stderr,
                "usage: %s UID\nThe guest agent starts this program, and asks it on its "
                "standard input.\n",
                argv[0]);
        return 2;
    }
    if (!settle_in(uid, &error)) {
        fprintf(stderr, "%s: %s\n", argv[0], error->message);
        return EXIT_FAILURE;
    }

    GaAgent *agent = ga_agent_new(table, ga_gate_new(table, NULL, NULL, NULL), NULL, NULL, NULL);
    GaSession *session = ga_session_new(agent, GA_SESSION_EXTRA, &endpoint, channel_open);
    return ga_session_open(session, &error) ? ga_agent_run(agent) : EXIT_FAILURE;
}
