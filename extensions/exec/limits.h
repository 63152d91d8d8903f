/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A control group for one program and what it starts. */
#pragma once

#include "gen/exec.h"

/* Make the group and set its limits. Returns its folder; NULL: refused. */
char *exec_limits_make(const NovacronExecLimits *limits, const char *id, GError **error);

/* The file that a process enters it by. */
char *exec_limits_file(const char *folder);

/* Whether the kernel has killed somebody in it for lack of memory. NULL: not. */
gboolean exec_limits_were_out_of_memory(const char *folder);

/* Whether anybody is in it, or in a group below it. NULL: not. */
gboolean exec_limits_hold_somebody(const char *folder);

/* Kill all who are in it, whatever session they are in; on Linux from 5.14 on also those in groups
 * below it. NULL: nobody. */
void exec_limits_kill(const char *folder);

/* NULL: nothing. A group with somebody in it stays, until this is called again or it is swept. */
void exec_limits_remove(const char *folder);

/* Remove all groups with nobody in them: of agents that were killed, of programs that have left
 * others behind. Not while a program of ours starts, whose group is still empty. */
void exec_limits_sweep(void);
