/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How full file systems are. To ask one whose device or server hangs is to hang with it, so that
 * others do it: whoever asks here has an answer in time, without what hangs. A file system that
 * hangs is not asked again until it has answered.
 */
#pragma once

#include "linux/mounts.h"

typedef struct OsUsages OsUsages;

typedef struct {
    gboolean is_known;
    guint64 used, total, total_privileged; /* in bytes; total is without the super-user's reserve */
} OsUsage;

OsUsages *os_usages_new(void);
void os_usages_free(OsUsages *usages); /* a thread that hangs is left to itself */

/* What `prepare`, on a thread, returns is asked: the mounts, which stay until `done`, or NULL. Then
 * `done` is called from the main loop with one usage for each mount, in their order, or NULL: no
 * later than OS_USAGES_LIMIT_MS after this call, unless `prepare` itself takes longer. */
#define OS_USAGES_LIMIT_MS 500
typedef const OsMounts *(*OsUsagesPrepare)(gpointer data);
typedef void (*OsUsagesDone)(const OsUsage *usages, gpointer data);
void os_usages_ask(OsUsages *usages, OsUsagesPrepare prepare, OsUsagesDone done, gpointer data);
