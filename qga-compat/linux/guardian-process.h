/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guardian as a process, and what is said between it and the agents: over a socket
 * in the state directory that keeps the boundaries of messages.
 */
#pragma once

#include "linux/guardian.h"

#define OS_GUARDIAN_SOCKET "qga.guardian"

/* To the process. */
#define OS_GUARDIAN_FREEZING_IS_OVER 'd'
#define OS_GUARDIAN_RELEASED 'r'
#define OS_GUARDIAN_KEEP 'k'

/* From it: an answer to KEEP while there is time; and, once for all, that there is none any more.
 * Whoever has no connection any more knows that it has ended. */
#define OS_GUARDIAN_KEPT 'K'
#define OS_GUARDIAN_EXPIRED 'x'

typedef struct {
    gint64 deadline; /* of KEEP and KEPT */
    gint64 count;    /* of FREEZING_IS_OVER and KEPT: file systems that are frozen; -1: not known */
    char letter;
} OsGuardianMessage;

/* Neither waits. What a peer that has gone is told is lost. */
void os_guardian_tell(gint fd, OsGuardianMessage message);

/* FALSE, and errno or 0: nothing was heard. */
gboolean os_guardian_hear(gint fd, OsGuardianMessage *message) G_GNUC_WARN_UNUSED_RESULT;

/* Thaw now, each by a process of its own: what is begun goes on if the agent is killed, and a
 * thread that is killed in FITHAW makes a btrfs read-only. Waits for all; may be called by any
 * thread. What is not done, when there was no process to be had or that was killed, stays so in
 * `ret_thawed` (one for each descriptor). The spec has neither directory nor deadline. */
void os_guardian_process_thaw(const OsGuardianSpec *spec, OsThawed *ret_thawed);

/* Started, it serves `listener`, which is bound in `directory`. Both stay the caller's. FALSE:
 * errno tells why not. */
gboolean os_guardian_process_start(const OsGuardianSpec *spec, gint directory,
                                   gint listener) G_GNUC_WARN_UNUSED_RESULT;
