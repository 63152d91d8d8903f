/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What guest-exec has started: every process from its start until
 * guest-exec-status has told its end.
 */
#pragma once

#include "gen/guest-agent.h"
#include "platform/process.h"

typedef struct GaExecs GaExecs;

typedef struct {
    gsize stream_bytes; /* kept of one stream */
    gsize output_bytes; /* kept of all streams together */
    gsize input_bytes;  /* held for processes that do not read them */
    guint n_running;
    guint n_ended; /* that nobody asked about yet */
} GaExecLimits;

/* Those of the agent; tests use smaller ones. */
extern const GaExecLimits ga_exec_limits;

/* `limits` is borrowed. */
GaExecs *ga_execs_new(const GaExecLimits *limits);

/* Processes that still run go on, with their pipes closed. */
void ga_execs_free(GaExecs *execs);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GaExecs, ga_execs_free)

gboolean ga_execs_start(GaExecs *execs, const OsProcessSpec *spec, gint64 *ret_pid,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The state of `pid`. The answer that tells its end hands over its output and forgets it. */
GuestExecStatus *ga_execs_status(GaExecs *execs, gint64 pid,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
