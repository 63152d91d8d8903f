/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A job whose work is done on a thread, a step at a time: between two steps its progress is
 * told and a client may stop it. So what it costs to stop is one step.
 */
#pragma once

#include "core/call.h"
#include "job/job.h"

/* Of one step: short enough for a client that follows the progress or waits for a cancellation. */
#define GA_STEP_US (100 * 1000)

typedef enum { GA_STEP_MORE, GA_STEP_DONE, GA_STEP_FAILED } GaStep;

typedef struct {
    guint64 current, total;
    const char *phase; /* NULL: as before */
} GaStepProgress;

/* A kind of such jobs: constant, for ever. */
typedef struct {
    /* On a thread; for no longer than GA_STEP_US if it can be helped. */
    GaStep (*step)(gpointer work, GaStepProgress *progress, GError **error);
    /* What is done, of the type that the kind of jobs names; owned by the work. */
    gconstpointer (*result)(gpointer work);
    gboolean is_partial; /* also when it was cancelled */
    void (*free)(gpointer work);
} GaStepsClass;

/* Start the job, which takes `work`, and settle the call with it. The kind's functions are those
 * below. */
void ga_steps_start(GaCall *call, const GaJobKind *kind, const GaStepsClass *class,
                    const char *request_id, gpointer work);

void ga_steps_begin(GaJob *job, gpointer data);
void ga_steps_cancel(gpointer data);
void ga_steps_free(gpointer data);
