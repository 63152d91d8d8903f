/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Database servers among the processes. Nothing that is found is executed or asked. */
#pragma once

#include "gen/quiesce.h"

/* One is enough of those that know each other: PostgreSQL's processes are all of the same file. */
typedef struct {
    NovacronQuiesceKind kind;
    gint64 pid;
    guint64 started; /* ticks since the boot */
    char *program;
    guint uid;             /* of its process */
    gboolean is_elsewhere; /* in a container, or that cannot be seen */
} Server;

/* Where processes are seen, and how many servers are looked at: a guest with more is no guest but a
 * test. */
#define SERVERS_PROC "/proc"
#define SERVERS_MAX 64

void server_free(Server *server);

/* For a thread: those below `proc` (/proc), of Server, at most `most`. NULL: errno. */
GPtrArray *servers_find(const char *proc, guint most);
