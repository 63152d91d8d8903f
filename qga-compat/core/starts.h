/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether the agent's last starts ended in a crash: a file in the state directory that a
 * clean end removes. After several in a row the agent comes up in safe mode, with
 * upstream's commands only: a fault of an extension must not cost a host its way into the guest.
 */
#pragma once

#include <glib.h>

/* Crashes in a row, each within GA_STARTS_SHORT of its start, until safe mode. */
#define GA_STARTS_CRASHES 3
#define GA_STARTS_SHORT (10 * 60) /* seconds */

/* Note this start; `now` is in seconds since 1970. Returns how many before it ended in a crash. A
 * directory that cannot be written counts nothing. */
guint ga_starts_begin(const char *directory, gint64 now);

/* A clean end. */
void ga_starts_end(const char *directory);
