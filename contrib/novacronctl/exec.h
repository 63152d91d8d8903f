/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two ways to run a program, what they have in common, and what goes on without us. */
#pragma once

#include "novacronctl/subcommand.h"

/* Start it through novacron-exec-*. */
NovacronExec *exec_start(const Subcommand *subcommand, GPtrArray *argv, GError **error);

/* Only that it was started, and as what. Returns the exit status. */
int exec_report_start(const Subcommand *subcommand, const NovacronExec *exec);

/* Pass the streams of the program `id` on to its end, and forget it. Returns the exit status, or
 * -1. */
int exec_follow(const Subcommand *subcommand, const char *id, GError **error);

/* The programs that there are, a signal to one, and one less. Return the exit status, or -1. */
int exec_list(const Subcommand *subcommand, GError **error);
int exec_kill(const Subcommand *subcommand, GError **error);
int exec_close(const Subcommand *subcommand, GError **error);

/* As far as guest-exec goes. Returns the exit status, or -1. */
int exec_plainly(const Subcommand *subcommand, GPtrArray *argv, GError **error);

/* All of the program as `exec --json` shows it. Returns the exit status. */
int exec_report(const GuestExecStatus *status);

/* Codes that no exit status can be must not become 0: Windows has larger ones. */
int exec_exit_status(gboolean by_signal, gint64 signal, gint64 code);
