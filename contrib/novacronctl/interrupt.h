/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lets a subcommand that has something to put away end at a point of its own
 * choice when it is told to stop.
 */
#pragma once

#include <gio/gio.h>

/* From now on the first SIGINT, SIGTERM or SIGHUP only cancels what is returned; the next one
 * ends the program as usual. */
GCancellable *interrupt_watch(void);
