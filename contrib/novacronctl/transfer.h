/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What copies through novacron-file-* have in common, those of a whole folder
 * and each alone.
 */
#pragma once

#include <gio/gio.h>

#include "novacronctl/client.h"
#include "novacronctl/progress.h"

/* Of what is read: what one line of 4 MiB, the most that libvirt lets through, holds easily. */
#define TRANSFER_PIECE (256u << 10)

typedef struct {
    QgaClient *client;
    GCancellable *cancellable; /* set when we are told to stop */
    GPollFD stop;              /* can be read then */
    Progress progress;
    guint64 before;   /* bytes of the files that were copied before the one under way */
    gboolean is_part; /* of more than one file: what the guest does by itself is not shown */
} Transfer;

/* `total` is in bytes. From now on we stop between two pieces. */
void transfer_start(Transfer *transfer, QgaClient *client, guint64 total);
void transfer_clear(Transfer *transfer);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Transfer, transfer_clear)

/* FALSE: told to stop. */
gboolean transfer_goes_on(const Transfer *transfer, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* So much of the file under way is done. */
void transfer_show(Transfer *transfer, guint64 done);

/* So much of it was done before. */
void transfer_skip(Transfer *transfer, guint64 done);

/* A name for the rest of a copy: letters and digits. Another path or version has another one. */
char *transfer_name_rest(const char *path, const char *version);

/* Add what `fd`, whose name is `path`, holds up to `size` to `checksum`. */
gboolean transfer_hash(const Transfer *transfer, int fd, const char *path, guint64 size,
                       GChecksum *checksum, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Wait until a job has concluded, and forget it; FALSE if it has failed. `ret_result`, which may be
 * NULL, gets what it tells. */
gboolean transfer_await(const Transfer *transfer, const NovacronJob *started,
                        NovacronJobResult **ret_result, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The SHA-256 that a file of the guest has, in digits. `resolve` may be NULL. */
char *transfer_digest(const Transfer *transfer, const char *path, NovacronFileResolve *resolve,
                      GError **error);

/* The agent is still busy with a request of ours from before a connection was lost: after a pause,
 * TRUE to ask again, though not for ever. `attempts` begins with 0. */
gboolean transfer_asks_again(const Transfer *transfer, const GError *error, guint *attempts);

/* The agent does not have, or not allow, what was asked for. */
gboolean transfer_is_refused(const GError *error);

/* The agent's error is of this kind, such as "not-found". */
gboolean transfer_is(const GError *error, const char *kind);

/* After such an error there is no use in going on with another file. */
gboolean transfer_is_over(const GError *error);

/* The error of a file here, from errno. Returns FALSE. */
gboolean transfer_fail_errno(GError **error, const char *what, const char *path);
