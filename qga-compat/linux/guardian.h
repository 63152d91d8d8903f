/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guardian as a process. What it guards is given, so that it can be tested without a freeze. */
#pragma once

#include "platform/freeze.h"

typedef struct {
    const char *directory; /* the state directory */
    const gint *fds; /* of mounts, in the order of thawing; duplicated, in effect, by the fork */
    guint n_fds;
    gint64 deadline;       /* monotonic, in microseconds */
    gint (*thaw)(gint fd); /* 0 as long as there was something to thaw; only a system call */
} OsGuardianSpec;

OsGuardian *os_guardian_fork(const OsGuardianSpec *spec, OsGuardianEnded ended, gpointer owner,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
