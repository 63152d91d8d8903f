/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What main.c has assembled, running. */
#pragma once

#include "core/agent.h"
#include "core/config.h"
#include "core/log.h"
#include "core/session.h"
#include "platform/service.h"

typedef struct {
    const GaConfig *config;
    GaLog *log;
    GaAgent *agent;
    GaSession *session;  /* upstream's channel */
    OsPidFile *pid_file; /* NULL: none, or not yet */
    gboolean is_waiting; /* log and pid file, for the thaw of what was frozen at the start */
    gint stop_reason;
} GaDaemon;

/* Until the end. Returns the process's status. */
gint ga_daemon_run(GaDaemon *daemon) G_GNUC_WARN_UNUSED_RESULT;
