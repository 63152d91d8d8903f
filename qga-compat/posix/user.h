/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An account of the system, and work that is done in its name. */
#pragma once

#include <glib.h>

typedef struct {
    char *name, *home;
    guint uid, gid;
    guint *groups;
    gint n_groups;
} OsUser;

/* May ask a server, and wait for it. NULL: there is no such user, or none can be found. */
OsUser *os_user_lookup(const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Likewise of a name or a number; what is all digits is a number, and it has to be somebody's. */
OsUser *os_user_find(const char *text) G_GNUC_WARN_UNUSED_RESULT;
void os_user_free(OsUser *user);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OsUser, os_user_free)

/* The number of a group that has this name, or this number. FALSE: there is none. May wait, too. */
gboolean os_group_find(const char *text, guint *ret_gid) G_GNUC_WARN_UNUSED_RESULT;

/* Memory that a child shares with the agent, zeroed. NULL: there is none. */
gpointer os_shared_new(gsize size);
void os_shared_free(gpointer memory, gsize size);

/* Run `work` in a child that has the user's rights for good, and wait until it is done, but no
 * longer than so many milliseconds. The child is born of a process with threads: it has memory as
 * it is at that moment and may call what is safe in a signal handler, nothing else; no allocation.
 * What it has to say goes to shared memory. FALSE: not done, not to its end or not in time. */
gboolean os_user_run(const OsUser *user, void (*work)(gpointer data), gpointer data,
                     guint time_limit, GError **error) G_GNUC_WARN_UNUSED_RESULT;
