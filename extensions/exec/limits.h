/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A control group for one program and what it starts. */
#pragma once

#include "gen/exec.h"

/* Make the group and set its limits. Returns its folder; NULL: refused. */
char *exec_limits_make(const NovacronExecLimits *limits, const char *id, GError **error);

/* The file that a process enters it by. */
char *exec_limits_file(const char *folder);

/* It goes when nobody is in it; if somebody is, it stays until the next call for it. */
void exec_limits_remove(const char *folder);
