/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two ways to run a program, and what they have in common. */
#pragma once

#include "novacronctl/subcommand.h"

/* With streams, through novacron-exec-*. Returns the exit status, or -1; then `*ret_refused`
 * tells that the agent does not have, or not allow, these commands, and nothing was done. */
int exec_with_streams(const Subcommand *subcommand, GPtrArray *argv, gboolean *ret_refused,
                      GError **error);

/* As far as guest-exec goes. Returns the exit status, or -1. */
int exec_plainly(const Subcommand *subcommand, GPtrArray *argv, GError **error);

/* All of the program as `exec --json` shows it. Returns the exit status. */
int exec_report(const GuestExecStatus *status);

/* Codes that no exit status can be must not become 0: Windows has larger ones. */
int exec_exit_status(gboolean by_signal, gint64 signal, gint64 code);
