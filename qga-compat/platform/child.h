/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting a child with everything that a client may ask for: another user and group, a folder, a
 * terminal, a control group. What becomes of it and its streams afterwards is the caller's
 * business. (platform/process.h is the quick way of guest-exec and of helper programs.)
 */
#pragma once

#include <glib.h>

/* All owned by the spec; NULL and FALSE where nothing is asked for. */
typedef struct {
    char **argv;        /* the program first; searched in PATH if it has no slash */
    char **environment; /* the whole of it; NULL: the agent's, for a user with that user's HOME */
    char *directory;    /* NULL: the agent's, or the user's home */
    char *user;         /* a name or a number, as the next one; with that user's groups */
    char *group;        /* the primary one; without `user` the only one */
    char *control_file; /* a control group's file of processes, which the child enters first */
    gboolean has_input;
    gboolean has_terminal;
    guint16 columns, rows;
} OsChildSpec;

void os_child_spec_free(OsChildSpec *spec);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OsChildSpec, os_child_spec_free)

/* Our ends, non-blocking. With a terminal, `in` and `out` are one, which is in `out`. */
typedef struct {
    gint64 pid;        /* of the child, which leads a session and a process group */
    gint in, out, err; /* -1: none */
} OsChild;

/* For a thread: waits until the program runs. FALSE: nothing does; the error is a refusal
 * (core/refusal.h). The caller reaps the child and closes the descriptors. */
gboolean os_child_start(const OsChildSpec *spec, OsChild *ret_child,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The number of the signal of that name without SIG; 0: there is none. */
gint os_signal_number(const char *name);

/* To the child's process group. FALSE and errno. */
gboolean os_child_signal(gint64 pid, gint number);

/* Of the terminal behind `out`. FALSE and errno. */
gboolean os_child_resize(gint out, guint16 columns, guint16 rows);
