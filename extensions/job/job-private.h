/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A job and all of them, as job.c and jobs.c see them. */
#pragma once

#include "extensions/job/jobs.h"
#include "extensions/job/recorder.h"
#include "extensions/job/waits.h"

struct GaJobs {
    GaAgent *agent;
    GPtrArray *all; /* GaJob, the eldest first */
    GaJobWaits *waits;
    GaRecorder *recorder;
    guint64 generation;
    guint64 last_number;
};

struct GaJob {
    GaJobs *jobs;
    const GaJobKind *kind; /* NULL: of a former agent */
    NovacronJob *seen;
    gpointer data;
    char *result;
    guint deadline; /* source */
    gboolean is_cancelled;
    gboolean is_late;
    gboolean is_begun;
    gboolean is_on_record;
    gboolean has_ended; /* its work; what follows is what became of that */
    NovacronJobOutcome outcome;
    gint64 ended_ns;
};

/* Since 1970, by the guest's clock. */
gint64 ga_job_now_ns(void);

/* Takes `seen` and `data`. */
GaJob *ga_job_new(GaJobs *jobs, const GaJobKind *kind, NovacronJob *seen, gpointer data);
void ga_job_free(GaJob *job);

/* Put it on record if that is needed, then begin it. */
void ga_job_enter(GaJob *job);

/* One that a former agent has left on record without an end. */
void ga_job_interrupt(GaJob *job);

/* The eldest of those that are over make room. */
void ga_jobs_make_room(GaJobs *jobs);
