/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A line on the terminal that tells how far a transfer is. */
#pragma once

#include <glib.h>

typedef struct {
    gboolean is_shown;
    gint64 total; /* in bytes; 0 if it is not known */
    gint64 first; /* so much was done before it began */
    gint64 start; /* these two in microseconds */
    gint64 last_shown;
} Progress;

/* Shows nothing where standard error is not a terminal. */
void progress_start(Progress *progress, gint64 total);
void progress_show(Progress *progress, gint64 done);

/* So much counts as done before it began: not for the speed. */
void progress_skip(Progress *progress, gint64 done);

/* Take the line away. */
void progress_stop(Progress *progress);
