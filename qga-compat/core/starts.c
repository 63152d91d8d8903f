/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starts: "CRASHES SECONDS" in qga.starts. */
#include "core/starts.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>

#define FILE_NAME "qga.starts"

static char *
path_in(const char *directory)
{
    return g_build_filename(directory, FILE_NAME, NULL);
}

/* What the last start noted; FALSE: it ended cleanly, or there was none. */
static gboolean
read_note(const char *path, guint *ret_crashes, gint64 *ret_started)
{
    FILE *file = g_fopen(path, "re");
    if (!file)
        return FALSE;

    gboolean is_read = fscanf(file, "%u %" G_GINT64_FORMAT, ret_crashes, ret_started) == 2;
    fclose(file);
    return is_read;
}

/* In place, always of one length: a file that is cut and written again is one that some file
 * systems put on the disk at once, and this happens at every start. */
static void
write_note(const char *path, guint crashes, gint64 started)
{
    FILE *file = g_fopen(path, "r+e");

    if (!file)
        file = g_fopen(path, "we");
    if (!file) {
        g_debug("%s: %s", path, g_strerror(errno));
        return;
    }
    fprintf(file, "%2u %20" G_GINT64_FORMAT "\n", crashes, started);
    fclose(file);
}

guint
ga_starts_begin(const char *directory, gint64 now)
{
    g_autofree char *path = path_in(directory);
    guint crashes = 0;
    gint64 started = 0;

    if (read_note(path, &crashes, &started))
        crashes = now - started < GA_STARTS_SHORT ? MIN(crashes, GA_STARTS_CRASHES) + 1 : 1;
    write_note(path, crashes, now);
    return crashes;
}

void
ga_starts_end(const char *directory)
{
    g_autofree char *path = path_in(directory);

    if (g_unlink(path) != 0 && errno != ENOENT)
        g_debug("%s: %s", path, g_strerror(errno));
}
