/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Jobs, for the extensions that start them: what may take longer than 100 ms, or go on when the
 * client has left. The commands that follow a job are the same for all.
 *
 * A job lives from ga_job_start() until a client dismisses it or it is too old; whoever works
 * for it ends that by ga_job_conclude() or ga_job_fail(), once, from the main thread.
 */
#pragma once

#include "core/agent.h"
#include "core/refusal.h"
#include "gen/job.h"

typedef struct GaJob GaJob;

/* A kind of jobs: constant, for ever. */
typedef struct {
    const char *command;    /* that starts them */
    const char *area;       /* in which one job that changes the guest runs at a time; NULL: such
                               jobs do not meet */
    const char *unit;       /* of progress: "bytes" */
    const QapiType *result; /* NULL: they have none */
    guint deadline_ms;      /* then a job is cancelled and has failed with `timeout`; 0: none */
    gboolean changes_guest;
    /* Let `data`'s work begin. A job that changes the guest is on record now. */
    void (*begin)(GaJob *job, gpointer data);
    /* Ask `data`'s work to stop, soon; the job is concluded by it as ever. NULL: it cannot. */
    void (*cancel)(gpointer data);
    /* When the job is concluded, or the agent ends: then nothing of the work may go on. */
    void (*free)(gpointer data);
} GaJobKind;

/* A new job, which takes `data` and begins: before this returns, or when a job that changes the
 * guest is on record, without which it fails. Or, where that request has a job already, that one,
 * and `data` is freed at once. NULL (and `data` freed) where another one must end first, or the
 * request's name is too long. */
GaJob *ga_job_start(GaAgent *agent, const GaJobKind *kind, const char *request_id, gpointer data,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What a client sees of it; borrowed until the job changes. */
const NovacronJob *ga_job_seen(const GaJob *job);

/* `phase` may be NULL: as before. */
void ga_job_progress(GaJob *job, guint64 current, guint64 total, const char *phase);

/* `place` is where a member of the result's type would stand; NULL: no result. A job that was
 * cancelled says so, whatever `outcome` is, unless all was done. */
void ga_job_conclude(GaJob *job, NovacronJobOutcome outcome, gconstpointer place);
void ga_job_fail(GaJob *job, GaRefusal code, GError *error /* (transfer full) */);
