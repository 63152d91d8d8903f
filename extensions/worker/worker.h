/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Workers, for the extensions that have some: programs of ours that do what has no place in the
 * agent's process, for it needs a library of weight, or reads what somebody hostile may have
 * written. A worker speaks the agent's own language over a socketpair, by a schema of its own. It
 * has the rights of one user, and what it needs no system call for it cannot do (sandbox.c). When
 * it crashes, one call has failed; when the agent goes, it goes.
 *
 * All of this is for threads (core/task.h), one at a time for each worker, but for what says
 * otherwise.
 */
#pragma once

#include <glib.h>

/* As the binding calls it that is generated from the worker's schema: its functions ask. */
typedef struct QgaClient GaWorker;

/* `program` is the path of the file; it will have the rights of the user `uid`. Nothing runs yet.
 * For any thread. */
GaWorker *ga_worker_new(const char *program, guint uid);

/* When no other thread uses it: it is killed, if it runs, and reaped by the main loop. */
void ga_worker_free(GaWorker *worker);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GaWorker, ga_worker_free)

/* FALSE: nothing runs; the error is a refusal. */
gboolean ga_worker_start(GaWorker *worker, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Each call from now on has this long; then the worker is killed, and all further calls fail. */
void ga_worker_set_limit(GaWorker *worker, guint ms);

/* What is asked fails, and whatever will be. For any thread, while another one asks. */
void ga_worker_kill(GaWorker *worker);
