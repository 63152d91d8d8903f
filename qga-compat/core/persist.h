/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What outlives the process, in the state directory: the counter of file handles
 * (qga.state) and the mark that file systems are frozen (qga.state.isfrozen).
 */
#pragma once

#include <glib.h>

typedef struct GaPersist GaPersist;

/* Load the state or, unless frozen, make it. The errors are the chain that upstream logs at
 * start, joined by newlines, outermost last. */
GaPersist *ga_persist_open(const char *directory, GError **error);
void ga_persist_free(GaPersist *persist);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GaPersist, ga_persist_free)

/* A number that was never given before, also not before a restart; in the file before this
 * returns, and used up if that fails. Negative after an overflow, as upstream's. */
gboolean ga_persist_next_handle(GaPersist *persist, gint64 *ret_handle,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The mark of a freeze. Found at start: a former agent died while file systems were frozen. */
gboolean ga_persist_is_frozen(const GaPersist *persist);
gboolean ga_persist_set_frozen(GaPersist *persist, gboolean is_frozen,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The counter in a state file: 1000 if there is none, 0 if it is no number of 32 bits. */
gint64 ga_persist_read_counter(GKeyFile *file);
