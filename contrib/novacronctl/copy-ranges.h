/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copies of one file through novacron-file-*: each piece has a digest, the whole
 * has one, and a copy that was cut goes on where it was when the same is asked
 * for again.
 */
#pragma once

#include "novacronctl/transfer.h"

/* Why nothing was done. */
typedef enum {
    COPY_FITS,
    COPY_UNFIT,   /* the file is none for these commands */
    COPY_REFUSED, /* the agent does not have them, or not allow them */
} CopyUnfit;

/* Both return the number of bytes, or -1, without an error unless `*ret_unfit` is COPY_FITS. */
gint64 copy_ranges_out(QgaClient *client, const char *source, const char *target,
                       CopyUnfit *ret_unfit, GError **error);
gint64 copy_ranges_in(QgaClient *client, int fd, const char *source, const char *target,
                      CopyUnfit *ret_unfit, GError **error);

/* As a part of `transfer`: the guest's file `source` to the name `name` in the folder that `folder`
 * is open on, where no link is followed. Both return the number of bytes, or -1. */
gint64 copy_ranges_out_in(Transfer *transfer, const char *source, int folder, const char *name,
                          guint mode, GError **error);

/* The file that is open as `fd`, with the permissions `mode`. `resolve` may be NULL. `is_hidden`:
 * nobody looks at the target yet, who could see it half done. */
gint64 copy_ranges_in_below(Transfer *transfer, int fd, const char *source,
                            NovacronFileResolve *resolve, const char *target, guint mode,
                            gboolean is_hidden, GError **error);
