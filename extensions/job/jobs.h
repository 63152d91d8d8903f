/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All jobs of an agent, for the commands that follow them. */
#pragma once

#include "core/call.h"
#include "extensions/job/job.h"

typedef struct GaJobs GaJobs;

GaJobs *ga_jobs_of(GaAgent *agent);

/* GaJob, the eldest first. Borrowed. */
const GPtrArray *ga_jobs_list(GaJobs *jobs);

/* NULL: refused, not-found. */
GaJob *ga_jobs_find(GaJobs *jobs, const char *id, GError **error);

/* JSON text, or NULL. */
const char *ga_job_result(const GaJob *job);

gboolean ga_job_is_concluded(const GaJob *job);
gboolean ga_job_cancel(GaJob *job, GError **error);

/* Forget one that is concluded. */
void ga_job_dismiss(GaJob *job);

/* Answer the call with the job when its generation is beyond this one, or as it is in `ms`. */
void ga_job_wait(GaJob *job, GaCall *call, guint64 generation, guint ms);
