/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The entries of a folder of the guest. */
#pragma once

#include "novacronctl/client.h"

/* A list of NovacronFileEntry, in the order in which the guest has them. */
extern const QapiType remote_folder_type;

/* To be freed by qapi_free() with that type; NULL with an error. */
GPtrArray *remote_folder_list(QgaClient *client, const char *path, GError **error);
