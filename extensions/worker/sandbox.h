/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a worker may do: two steps that a process takes once, and cannot take back. */
#pragma once

#include <glib.h>

/* Become the user, with all groups and without any capability; HOME and USER tell of it. FALSE: it
 * cannot be. */
gboolean ga_sandbox_take_rights(guint uid, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* From now on, for all threads: no new program, process or file; limits of memory, files and
 * processor time; and of system calls those that a client of a database needs. Any other one kills
 * the process. */
gboolean ga_sandbox_enter(GError **error) G_GNUC_WARN_UNUSED_RESULT;
