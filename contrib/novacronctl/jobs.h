/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <gio/gio.h>

#include "novacronctl/client.h"
#include "novacronctl/progress.h"

/* The job `id` when it has concluded; its progress is shown meanwhile. `cancellable`, which may be
 * NULL, ends the wait. */
NovacronJob *jobs_await(QgaClient *client, const char *id, Progress *progress,
                        GCancellable *cancellable, GError **error);
