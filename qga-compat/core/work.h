/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A command whose work is one function on a thread: it gets values and returns
 * the command's result, which settles the call.
 */
#pragma once

#include "core/call.h"

/* Runs on a thread of core/task.h. Returns what ga_call_return_full() takes, or an error. */
typedef gpointer (*GaWorkFunc)(gpointer data, GError **error);

/* `data` stands alone: nothing of the agent's and nothing of the call's, whose session may go
 * first. It is freed by `free_data` (NULL: not at all) on the main thread. The result is written
 * and freed on the thread as well: it may be long. */
void ga_work_run(GaCall *call, GaWorkFunc func, gpointer data, GDestroyNotify free_data);
