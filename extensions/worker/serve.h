/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The main() of a worker: its commands are all that it writes itself. */
#pragma once

#include "core/command.h"

/* Serve what asks on standard input, until it goes: then the process ends at once, whatever it is
 * doing. `argv` is a worker's: the number of the user whose rights it takes. The table's commands
 * must answer at once, that is, not be coroutines. Returns a status where it could not begin. */
int ga_worker_serve(int argc, char **argv, const GaCommandTable *table);

/* The name of that user; for ever. */
const char *ga_worker_user(void);

/* The place for what a worker has from one command to the next, such as its connection: NULL at
 * first, and freed by nobody, for the process ends. */
gpointer *ga_worker_memory(GaAgent *agent);

/* Another path of the socket at `path`, transfer full, which stays that socket whatever becomes of
 * `path`. NULL: it is none that the user `uid` or root has made, as when a server's socket was
 * replaced, or a table of the kernel has lines that somebody has put in a name. */
char *ga_worker_pin_socket(const char *path, guint uid, GError **error) G_GNUC_WARN_UNUSED_RESULT;
