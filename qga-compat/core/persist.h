/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What outlives the process, in the state directory: the counter of file handles
 * (qga.state) and the mark that file systems are frozen (qga.state.isfrozen).
 */
#pragma once

#include <glib.h>

typedef struct GaPersist GaPersist;

/* Look for the mark of a freeze: what comes before ga_persist_load() depends on it. */
GaPersist *ga_persist_new(const char *directory, GError **error);
void ga_persist_free(GaPersist *persist);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GaPersist, ga_persist_free)

/* Load the state or, unless frozen, make it. The error is the chain that upstream logs, joined by
 * newlines, outermost last. */
gboolean ga_persist_load(GaPersist *persist, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A number that was never given before, also not before a restart; in the file before this
 * returns, and used up if that fails. Negative after an overflow, as upstream's. */
gboolean ga_persist_next_handle(GaPersist *persist, gint64 *ret_handle,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The mark of a freeze. Found at start: a former agent died while file systems were frozen. */
gboolean ga_persist_is_frozen(const GaPersist *persist);
gboolean ga_persist_set_frozen(GaPersist *persist, gboolean is_frozen,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;
