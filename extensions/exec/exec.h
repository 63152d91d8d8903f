/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs that clients have started: one, and all of an agent. */
#pragma once

#include "core/call.h"
#include "gen/exec.h"

typedef struct Exec Exec;
typedef struct Execs Execs;

Execs *execs_of(GaAgent *agent);

/* Exec, the eldest first. */
const GPtrArray *execs_list(const Execs *execs);

/* NULL: refused, not-found. */
Exec *execs_find(Execs *execs, const char *id, GError **error);

/* Answers the call when the program runs, or cannot. */
void execs_start(Execs *execs, GaCall *call, const NovacronExecStartArgs *args);

/* A copy of what a client sees. */
NovacronExec *exec_describe(const Exec *exec);

/* Answers the call with what there is from the offsets on, now or when its wait is over. */
void exec_read(Exec *exec, GaCall *call, const NovacronExecReadArgs *args);

/* FALSE: refused. */
gboolean exec_write(Exec *exec, const void *data, gsize size, gboolean is_last,
                    NovacronExecWritten *ret_written, GError **error);
gboolean exec_signal(Exec *exec, gint number, GError **error);
gboolean exec_resize(Exec *exec, guint16 columns, guint16 rows, GError **error);

/* Kill what runs, and forget it. */
void exec_close(Exec *exec);
