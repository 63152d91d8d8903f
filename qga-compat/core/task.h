/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Work that may wait for a disk, on a thread of a small shared pool. The work gets
 * values and returns values; only the main thread touches the agent.
 */
#pragma once

#include <glib.h>

/* `work` runs on a thread; then `done` from the caller's main loop, even if the agent's object
 * that asked is gone: `data` must stand alone. */
void ga_task_run(void (*work)(gpointer data), void (*done)(gpointer data), gpointer data);

/* On a thread of its own: for work that nobody else's waiting may delay, such as a thaw that those
 * in the pool wait for. Where no thread can be had it is done here and now. */
void ga_task_run_apart(void (*work)(gpointer data), void (*done)(gpointer data), gpointer data);

/* The same for work that may hang: where no thread can be had it waits for one. */
void ga_task_run_patiently(void (*work)(gpointer data), void (*done)(gpointer data), gpointer data);
