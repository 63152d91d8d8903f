/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a server of this machine listens. Nothing of its configuration is read. */
#pragma once

#include "gen/quiesce.h"

typedef struct {
    char *address; /* the path of a socket, or an address */
    guint16 port;  /* 0: it is a path */
} Endpoint;

void endpoint_clear(Endpoint *endpoint);

/* For a thread: one of those at which the process `pid` below `proc` (/proc) listens and a client
 * of that kind can ask. FALSE: there is none, or it cannot be seen. */
gboolean endpoint_find(const char *proc, gint64 pid, NovacronQuiesceKind kind,
                       Endpoint *ret_endpoint);
