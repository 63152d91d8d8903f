/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Uploads that were begun and not committed. What there is of one is on the disk: a record in the
 * agent's folder, and the temporary file beside its target. Nothing is kept in memory, so that
 * another agent goes on with it. All of this is for threads.
 */
#pragma once

#include "file/place.h"

/* Uploads at a time. */
#define GA_UPLOADS_MAX 64

/* Of the temporary file. */
#define GA_UPLOAD_MODE 0600

typedef struct {
    char *id;
    char *temporary; /* its name */
    NovacronFileUploadRecord *record;
    GaPlace *place;
    GaFd parent;      /* the folder of the target; -1: not open */
    GaFd fd;          /* the temporary file; -1: not open */
    const char *name; /* of the target in it */
} GaUpload;

/* Whether it can be the name of one; refused, bad-value. */
gboolean ga_upload_check_id(const char *id, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Begin a new one, or find the one that has been begun. `folder` is where records are kept. */
GaUpload *ga_upload_begin(const char *folder, const char *id, const GaPlace *place, GError **error);

/* One that has been begun; not open. */
GaUpload *ga_upload_find(const char *folder, const char *id, GError **error);
void ga_upload_free(GaUpload *upload);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GaUpload, ga_upload_free)

/* The guest was restarted since: what was written may not be there. */
gboolean ga_upload_is_of_another_boot(const GaUpload *upload);

/* Open the temporary file for this caller alone; others get busy. */
gboolean ga_upload_open(GaUpload *upload, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* How much is there. */
gboolean ga_upload_size(GaUpload *upload, guint64 *ret_size,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Remove the record: the temporary file is no more. */
void ga_upload_forget(const char *folder, const GaUpload *upload);
