/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log: what goes through GLib's g_critical() and its kin, in upstream's line format.
 * While there is no log, GLib's own handler writes, as upstream's before its start.
 */
#pragma once

#include <glib.h>

typedef struct GaLog GaLog;

/* Take over GLib's messages, to standard error. Only errors and criticals pass unless verbose. */
GaLog *ga_log_new(gboolean is_verbose);

/* Give them back. */
void ga_log_free(GaLog *log);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GaLog, ga_log_free)

/* Append to this file from now on; NULL: standard error. On failure nothing changes. */
gboolean ga_log_open(GaLog *log, const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* At any time. */
void ga_log_set_verbose(GaLog *log, gboolean is_verbose);

/* While muted nothing is written: frozen, the log's file system would block the agent, which
 * alone can thaw it. */
void ga_log_set_muted(GaLog *log, gboolean is_muted);

/* Log each line of an error that is a chain of reasons, innermost first, as upstream has them. */
void ga_log_chain(const char *message);
