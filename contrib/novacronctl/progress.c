/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The line is rewritten ten times a second and leaves no trace. */
#include "novacronctl/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "novacronctl/terminal.h"

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
add_bar(GString *line, gdouble part)
{
    gint filled = (gint)(CLAMP(part, 0, 1) * BAR_WIDTH);

    g_string_append_c(line, '[');
    for (gint i = 0; i < BAR_WIDTH; i++)
        g_string_append_c(line, i < filled ? '#' : '.');
    g_string_append_printf(line, "] %3.0f %%", CLAMP(part, 0, 1) * PERCENT);
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
    g_autoptr(GString) line = g_string_new(NULL);
    if (progress->total > 0)
        add_bar(line, (gdouble)done / (gdouble)progress->total);
    g_string_append_printf(line, "%8.1f MiB", (gdouble)done / MIB);
    if (progress->total > 0)
        g_string_append_printf(line, " of %.1f MiB", (gdouble)progress->total / MIB);
    g_string_append_printf(line, "%8.1f MiB/s", speed / MIB);
    if (progress->total > done && speed > 0)
        g_string_append_printf(line, "%5.0f s left", (gdouble)(progress->total - done) / speed);
    /* A line that goes on in the next one cannot be erased. */
    guint16 columns = terminal_columns(STDERR_FILENO);
    if (columns > 1)
        g_string_truncate(line, columns - 1);
    fprintf(stderr, ERASE_LINE "%s", line->str);
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
    if (progress->last_shown > 0)
        fputs(ERASE_LINE, stderr);
}
