/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeps the records of jobs without letting the main loop wait for a disk: what is asked for is
 * done on threads, one after the other, and nothing while file systems are frozen, when it would
 * hang until the thaw.
 */
#pragma once

#include "core/gate.h"
#include "gen/job.h"

typedef struct GaRecorder GaRecorder;

/* `error` (transfer full) is NULL when the record is on the disk. From the main loop, and not once
 * the recorder has gone. */
typedef void (*GaRecorded)(GError *error, gpointer user_data);

/* The gate must outlive it. */
GaRecorder *ga_recorder_new(const GaGate *gate, const char *folder);

/* What was asked for is done first, unless file systems are frozen. */
void ga_recorder_free(GaRecorder *recorder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GaRecorder, ga_recorder_free)

/* The job as it is now; `result` (JSON text) may be NULL. */
void ga_recorder_write(GaRecorder *recorder, const NovacronJob *job, const char *result,
                       GaRecorded recorded, gpointer user_data);

void ga_recorder_remove(GaRecorder *recorder, const char *id);
