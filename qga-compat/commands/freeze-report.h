/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of one freeze, from its hook to the thaw's. */
#pragma once

#include <glib.h>

/* Times are monotonic, in microseconds, 0: not known or not yet; spans are in microseconds, -1:
 * nothing of the kind was done here. */
typedef struct {
    char *id;             /* NULL: none */
    gint64 begun;         /* of the frozen state; that of a former agent, too */
    gint64 deadline;      /* 0: none, or the guardian was not heard yet */
    gint64 ended;         /* not before the end */
    gboolean is_over;     /* or there was none */
    gboolean is_expired;  /* it ended before a thaw was asked for, or during that */
    const char *ended_by; /* the command */
    gint64 count;         /* of file systems frozen; -1: not known, or not yet */
    gint64 thawed;        /* of file systems that still were at the end */
    gint64 freeze_hook, freeze, thaw, thaw_hook; /* spans */
    char *thaw_hook_error;                       /* NULL: none */
    gboolean is_held; /* something is beside the file systems, and was not let go yet */
    char *hold_error; /* why that was not held until the thaw; NULL: it was, or nothing was */
    GPtrArray *file_systems; /* OsFrozen (platform/freeze.h); NULL: frozen by a former agent */
} GaFreezeReport;

/* Of no freeze: nothing is known and it is over. To be cleared in the end. */
void ga_freeze_report_init(GaFreezeReport *report);
void ga_freeze_report_clear(GaFreezeReport *report);

/* A new freeze, which is not over; `id` is copied. */
void ga_freeze_report_begin(GaFreezeReport *report, const char *id);

/* It has ended; only the first end counts. */
void ga_freeze_report_end(GaFreezeReport *report, const char *command, gboolean is_expired);

/* The line that the next agent reads, transfer full; NULL if the freeze has no id. */
char *ga_freeze_report_describe(const GaFreezeReport *report);

/* A freeze of a former agent, which is not over; of a `line` that is damaged or NULL no more than
 * that. */
void ga_freeze_report_recall(GaFreezeReport *report, const char *line);
