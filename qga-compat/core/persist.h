/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What outlives the process, in the state directory: the counter of file handles
 * (qga.state), the mark that file systems are frozen (qga.state.isfrozen), and the
 * note that they were thawed before a client asked for it (qga.state.thawexpired).
 */
#pragma once

#include <glib.h>

typedef struct GaPersist GaPersist;

/* In the state directory. A freeze that expires turns the mark into the note by renaming it. */
#define GA_PERSIST_FROZEN "qga.state.isfrozen"
#define GA_PERSIST_EXPIRED "qga.state.thawexpired"

/* Look for the mark of a freeze: what comes before ga_persist_load() depends on it. */
GaPersist *ga_persist_new(const char *directory, GError **error);
void ga_persist_free(GaPersist *persist);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GaPersist, ga_persist_free)

/* Load the state or, unless frozen, make it. The error is the chain that upstream logs, joined by
 * newlines, outermost last. */
gboolean ga_persist_load(GaPersist *persist, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A number that was never given before, also not before a restart; in the file before this
 * returns, and used up if that fails. Negative after an overflow, as upstream's. Frozen, the file
 * cannot be written: it is when the mark goes. */
gboolean ga_persist_next_handle(GaPersist *persist, gint64 *ret_handle,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The mark of a freeze. Found at start: a former agent died while file systems were frozen.
 * Whether it could be set or removed, the state is as wanted; the error says what upstream logs, in
 * two lines. */
gboolean ga_persist_is_frozen(const GaPersist *persist);
gboolean ga_persist_set_frozen(GaPersist *persist, gboolean is_frozen,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What the mark that is set next says of the freeze (NULL, as upstream's: nothing), for the agent
 * that finds it or the note that it has turned into. NULL if there is nothing to read. */
void ga_persist_describe_freeze(GaPersist *persist, const char *text);
char *ga_persist_read_freeze(const GaPersist *persist);

/* No longer frozen, but nobody asked for it: leave the note, unless somebody else has left it. */
gboolean ga_persist_expire(GaPersist *persist, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The note. Looked up on disk, since a guardian may leave it. */
gboolean ga_persist_has_expired(const GaPersist *persist);
void ga_persist_forget_expired(const GaPersist *persist);

const char *ga_persist_directory(const GaPersist *persist);
