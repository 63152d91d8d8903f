/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The system's log by its socket. syslog(3) waits as long as a stuck log daemon
 * likes, and with it would the host; here such a line is lost instead.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "platform/service.h"

typedef struct {
    gint fd;           /* -1: not connected */
    gint64 connect_at; /* not before; monotonic */
} Syslog;

gpointer
os_syslog_new(void)
{
    Syslog *log = g_new0(Syslog, 1);

    log->fd = -1;
    return log;
}

static void
disconnect(Syslog *log)
{
    if (log->fd >= 0)
        close(log->fd);
    log->fd = -1;
}

static void
syslog_free(gpointer sink)
{
    disconnect(sink);
    g_free(sink);
}

/* At most once a second: without a log daemon every line would try. */
static gboolean
connect_log(Syslog *log)
{
    static const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = _PATH_LOG };
    gint64 now = g_get_monotonic_time();

    if (log->fd >= 0)
        return TRUE;
    if (now < log->connect_at)
        return FALSE;
    log->connect_at = now + G_USEC_PER_SEC;

    log->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (log->fd < 0)
        return FALSE;
    if (connect(log->fd, (const struct sockaddr *)&address, sizeof address) != 0)
        disconnect(log);
    return log->fd >= 0;
}

static gboolean
send_line(Syslog *log, const char *line, gsize length)
{
    if (!connect_log(log) || send(log->fd, line, length, MSG_NOSIGNAL) >= 0)
        return TRUE;
    /* Full or too long: this line is lost. Anything else: the log daemon was restarted. */
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS || errno == EMSGSIZE)
        return TRUE;
    disconnect(log);
    return FALSE;
}

static void
syslog_write(gpointer sink, const char *line)
{
    time_t now = time(NULL);
    struct tm calendar;
    char date[sizeof "Jan  1 00:00:00"];

    localtime_r(&now, &calendar);
    strftime(date, sizeof date, "%b %e %T", &calendar);
    g_autofree char *text = g_strdup_printf("<%d>%s qemu-ga: %s", LOG_USER | LOG_INFO, date, line);
    gsize length = strlen(text);
    if (!send_line(sink, text, length))
        send_line(sink, text, length);
}

const GaAccountSink os_syslog_functions = { syslog_write, syslog_free };
