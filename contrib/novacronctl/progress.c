/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The line is rewritten ten times a second and leaves no trace. */
#include "novacronctl/progress.h"

#include <stdio.h>
#include <unistd.h>

#define INTERVAL_US (G_USEC_PER_SEC / 10)
#define MIB ((gdouble)(1 << 20))
#define PERCENT 100
#define BAR_WIDTH 24
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

static void
show_bar(gdouble part)
{
    gint filled = (gint)(CLAMP(part, 0, 1) * BAR_WIDTH);

    fputc('[', stderr);
    for (gint i = 0; i < BAR_WIDTH; i++)
        fputc(i < filled ? '#' : '.', stderr);
    fprintf(stderr, "] %3.0f %%", CLAMP(part, 0, 1) * PERCENT);
}

void
progress_show(Progress *progress, gint64 done)
{
    gint64 now = g_get_monotonic_time();

    if (!progress->is_shown || now - progress->last_shown < INTERVAL_US)
        return;
    progress->last_shown = now;

    gdouble seconds = (gdouble)MAX(now - progress->start, 1) / G_USEC_PER_SEC;
    gdouble speed = (gdouble)MAX(done - progress->first, 0) / seconds;
    fputs(ERASE_LINE, stderr);
    if (progress->total > 0)
        show_bar((gdouble)done / (gdouble)progress->total);
    fprintf(stderr, "%8.1f MiB", (gdouble)done / MIB);
    if (progress->total > 0)
        fprintf(stderr, " of %.1f MiB", (gdouble)progress->total / MIB);
    fprintf(stderr, "%8.1f MiB/s", speed / MIB);
    if (progress->total > done && speed > 0)
        fprintf(stderr, "%5.0f s left", (gdouble)(progress->total - done) / speed);
    fflush(stderr);
}

void
progress_skip(Progress *progress, gint64 done)
{
    progress->first += done;
}

void
progress_stop(Progress *progress)
{
    if (progress->is_shown)
        fputs(ERASE_LINE, stderr);
}
