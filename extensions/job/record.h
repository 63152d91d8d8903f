/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The record of a job that changes the guest: one file, written before the effect, so
 * that after a crash somebody can tell what was under way.
 */
#pragma once

#include "gen/job.h"

/* What stands in it. `result` (JSON text) may be NULL. */
char *ga_record_text(const NovacronJob *job, const char *result);

/* In place as a whole and on the disk when this returns. */
gboolean ga_record_write(const char *folder, const char *id, const char *text,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

void ga_record_remove(const char *folder, const char *id);

/* All records: NovacronJobRecord, the eldest first. What cannot be read is passed over, and left
 * for people to look at. */
GPtrArray *ga_record_read_all(const char *folder);
