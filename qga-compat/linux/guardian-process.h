/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guardian as a process, and what is said between it and the agents: over a socket
 * in the state directory, in single letters.
 */
#pragma once

#include "linux/guardian.h"

#define OS_GUARDIAN_SOCKET "qga.guardian"

/* To the process. */
#define OS_GUARDIAN_FREEZING_IS_OVER 'd'
#define OS_GUARDIAN_RELEASED 'r'

/* From it. Whoever has no connection any more knows that it has ended. */
#define OS_GUARDIAN_EXPIRED 'x'

/* Started, it serves `listener`, which is bound in `directory`. Both stay the caller's. FALSE:
 * errno tells why not. */
gboolean os_guardian_process_start(const OsGuardianSpec *spec, gint directory,
                                   gint listener) G_GNUC_WARN_UNUSED_RESULT;
