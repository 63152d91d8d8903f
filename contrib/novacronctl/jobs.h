/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "novacronctl/client.h"
#include "novacronctl/progress.h"

/* The job `id` when it has concluded; its progress is shown meanwhile. */
NovacronJob *jobs_await(QgaClient *client, const char *id, Progress *progress, GError **error);
