/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The line is rewritten ten times a second and leaves no trace. */
#include "novacronctl/progress.h"

#include <stdio.h>
#include <unistd.h>

#define INTERVAL_US (G_USEC_PER_SEC / 10)
#define MIB ((gdouble)(1 << 20))
#define ERASE_LINE "\r\033[K"

void
progress_start(Progress *progress, gint64 total)
{
    *progress = (Progress){
        .is_shown = isatty(STDERR_FILENO) != 0,
        .total = total,
        .start = g_get_monotonic_time(),
    };
}

void
progress_show(Progress *progress, gint64 done)
{
    gint64 now = g_get_monotonic_time();

    if (!progress->is_shown || now - progress->last_shown < INTERVAL_US)
        return;
    progress->last_shown = now;

    gdouble seconds = (gdouble)MAX(now - progress->start, 1) / G_USEC_PER_SEC;
    fprintf(stderr, ERASE_LINE "%8.1f MiB", (gdouble)done / MIB);
    if (progress->total > 0)
        fprintf(stderr, " of %.1f (%3.0f %%)", (gdouble)progress->total / MIB,
                100.0 * (gdouble)done / (gdouble)progress->total);
    fprintf(stderr, "%8.1f MiB/s", (gdouble)done / MIB / seconds);
    fflush(stderr);
}

void
progress_stop(Progress *progress)
{
    if (progress->is_shown)
        fputs(ERASE_LINE, stderr);
}
