/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The log. Threads log too, hence the lock. */
#include "core/log.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>

#include "runtime/qapi-error.h"

/* Where it is missing, descriptors do not reach children anyway. */
#ifndef O_CLOEXEC
#define O_CLOEXEC 0
#endif

struct GaLog {
    GMutex lock;
    FILE *stream;
    gboolean is_file;
    gboolean is_muted;
    GLogLevelFlags levels;
};

static const char *
level_name(GLogLevelFlags level)
{
    switch (level & G_LOG_LEVEL_MASK) {
    case G_LOG_LEVEL_ERROR:
        return "error";
    case G_LOG_LEVEL_CRITICAL:
        return "critical";
    case G_LOG_LEVEL_WARNING:
        return "warning";
    case G_LOG_LEVEL_MESSAGE:
        return "message";
    case G_LOG_LEVEL_INFO:
        return "info";
    case G_LOG_LEVEL_DEBUG:
        return "debug";
    default:
        return "user";
    }
}

static void
write_line(G_GNUC_UNUSED const char *domain, GLogLevelFlags level, const char *message,
           gpointer user_data)
{
    GaLog *log = user_data;
    gint64 now = g_get_real_time();

    g_mutex_lock(&log->lock);
    if (!log->is_muted && (level & log->levels)) {
        fprintf(log->stream, "%" G_GINT64_FORMAT ".%06d: %s: %s\n", now / G_USEC_PER_SEC,
                (gint)(now % G_USEC_PER_SEC), level_name(level), message);
        fflush(log->stream);
    }
    g_mutex_unlock(&log->lock);
}

static void
set_stream(GaLog *log, FILE *stream, gboolean is_file)
{
    g_mutex_lock(&log->lock);
    if (log->is_file)
        fclose(log->stream);
    log->stream = stream;
    log->is_file = is_file;
    g_mutex_unlock(&log->lock);
}

GaLog *
ga_log_new(gboolean is_verbose)
{
    GaLog *log = g_new0(GaLog, 1);

    g_mutex_init(&log->lock);
    log->stream = stderr;
    ga_log_set_verbose(log, is_verbose);
    g_log_set_default_handler(write_line, log);
    return log;
}

void
ga_log_free(GaLog *log)
{
    if (!log)
        return;
    g_log_set_default_handler(g_log_default_handler, NULL);
    set_stream(log, stderr, FALSE);
    g_mutex_clear(&log->lock);
    g_free(log);
}

gboolean
ga_log_open(GaLog *log, const char *path, GError **error)
{
    if (!path) {
        set_stream(log, stderr, FALSE);
        return TRUE;
    }

    gint fd = g_open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    FILE *stream = fd >= 0 ? fdopen(fd, "a") : NULL;
    if (!stream) {
        qapi_set_errno(error, errno, "unable to open specified log file");
        return FALSE;
    }
    set_stream(log, stream, TRUE);
    return TRUE;
}

void
ga_log_set_verbose(GaLog *log, gboolean is_verbose)
{
    g_mutex_lock(&log->lock);
    log->levels = is_verbose ? G_LOG_LEVEL_MASK : (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
    g_mutex_unlock(&log->lock);
}

void
ga_log_set_muted(GaLog *log, gboolean is_muted)
{
    g_mutex_lock(&log->lock);
    log->is_muted = is_muted;
    g_mutex_unlock(&log->lock);
}

void
ga_log_chain(const char *message)
{
    g_auto(GStrv) lines = g_strsplit(message, "\n", -1);

    for (char **line = lines; *line; line++)
        g_critical("%s", *line);
}
