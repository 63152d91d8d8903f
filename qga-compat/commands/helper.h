/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The programs of the system that do a command's work: shutdown, hwclock, chpasswd,
 * the freeze hook. What one prints is the client's error text if it fails.
 */
#pragma once

#include <glib.h>

/* Borrowed for the time of ga_helper_run() only. */
typedef struct {
    char *const *argv;    /* NULL-terminated; searched in PATH if it has no slash */
    const char *input;    /* for standard input; NULL: /dev/null */
    const char *action;   /* "shutdown": what it "has failed to" do, in error texts */
    const char *variable; /* of its environment, beside those of the agent; NULL: none */
    const char *value;
    guint time_limit_ms; /* then it is killed with all that it has started; 0: none */
} GaHelperSpec;

/* NULL: it has ended with status 0 and nobody holds its output any more. Called once, from the main
 * loop or, if nothing could be started, from within ga_helper_run(). */
typedef void (*GaHelperDone)(GError *error /* (transfer full) */, gpointer user_data);

void ga_helper_run(const GaHelperSpec *spec, GaHelperDone done, gpointer user_data);
