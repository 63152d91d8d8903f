/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The service manager's watchdog, as sd_notify(3) describes it: an agent whose loop stands
 * still is restarted. Where none is asked for there is no timer.
 *
 * The variables are for us: what the agent starts must not find them.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "platform/service.h"

static const char alive[] = "WATCHDOG=1";

typedef struct {
    gint fd;
    struct sockaddr_un address;
    socklen_t size;
} Watchdog;

/* A name that begins with @ is not in the file system. FALSE: no address. */
static gboolean
read_address(const char *path, Watchdog *watchdog)
{
    gsize length = path ? strlen(path) : 0;

    if (length < 2 || length >= sizeof watchdog->address.sun_path ||
        (path[0] != '/' && path[0] != '@'))
        return FALSE;
    watchdog->address.sun_family = AF_UNIX;
    memcpy(watchdog->address.sun_path, path, length + 1);
    if (path[0] == '@')
        watchdog->address.sun_path[0] = '\0';
    watchdog->size = (socklen_t)(G_STRUCT_OFFSET(struct sockaddr_un, sun_path) + length +
                                 (path[0] == '/' ? 1 : 0));
    return TRUE;
}

static gboolean
tell(gpointer user_data)
{
    const Watchdog *watchdog = user_data;

    if (sendto(watchdog->fd, alive, strlen(alive), MSG_NOSIGNAL | MSG_DONTWAIT,
               (const struct sockaddr *)&watchdog->address, watchdog->size) < 0)
        g_debug("watchdog: %s", g_strerror(errno));
    return G_SOURCE_CONTINUE;
}

/* Milliseconds; 0: nobody watches us. */
static guint
interval(void)
{
    const char *text = g_getenv("WATCHDOG_USEC"), *watched = g_getenv("WATCHDOG_PID");
    guint64 microseconds, pid;

    if (!text || !g_ascii_string_to_unsigned(text, 10, 2000, G_MAXUINT, &microseconds, NULL))
        return 0;
    if (watched && (!g_ascii_string_to_unsigned(watched, 10, 1, G_MAXINT, &pid, NULL) ||
                    pid != (guint64)getpid()))
        return 0;
    return (guint)(microseconds / 2 / 1000);
}

static void
watchdog_free(gpointer data)
{
    Watchdog *watchdog = data;

    close(watchdog->fd);
    g_free(watchdog);
}

void
os_service_watchdog(void)
{
    Watchdog *watchdog = g_new0(Watchdog, 1);
    guint ms = interval();

    watchdog->fd = -1;
    if (ms > 0 && read_address(g_getenv("NOTIFY_SOCKET"), watchdog))
        watchdog->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (watchdog->fd >= 0) {
        tell(watchdog);
        g_timeout_add_full(G_PRIORITY_DEFAULT, ms, tell, watchdog, watchdog_free);
    } else {
        g_free(watchdog);
    }
    g_unsetenv("NOTIFY_SOCKET");
    g_unsetenv("WATCHDOG_USEC");
    g_unsetenv("WATCHDOG_PID");
}
