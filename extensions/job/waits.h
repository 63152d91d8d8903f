/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls that wait for a job to change. */
#pragma once

#include "core/call.h"
#include "extensions/job/job.h"

typedef struct GaJobWaits GaJobWaits;

GaJobWaits *ga_job_waits_new(void);

/* Their calls are left. */
void ga_job_waits_free(GaJobWaits *waits);

/* Answer the call with the job when its generation is beyond this one or it has concluded, or as it
 * is in `ms`. */
void ga_job_waits_add(GaJobWaits *waits, GaJob *job, GaCall *call, guint64 generation, guint ms);

/* It has changed. */
void ga_job_waits_end(const GaJobWaits *waits, const GaJob *job);

/* It will be no more: those who still wait for it are told. */
void ga_job_waits_disappoint(GaJobWaits *waits, const GaJob *job);
