/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a guardian is started for is given, so that it can be tested without a freeze. */
#pragma once

#include "linux/thawers.h"
#include "platform/freeze.h"

typedef struct {
    const char *directory; /* the state directory */
    const gint *fds; /* of mounts, in the order of thawing; duplicated, in effect, by the fork */
    guint n_fds;
    gint64 deadline; /* monotonic, in microseconds */
    OsThaw thaw;
} OsGuardianSpec;

OsGuardian *os_guardian_fork(const OsGuardianSpec *spec, const OsGuardianEvents *events,
                             gpointer owner, GError **error) G_GNUC_WARN_UNUSED_RESULT;
