/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Freezing and thawing as the sequence of steps that upstream has, none of which stops
 * the main loop. Operations come from several sessions; one is under way at a time, the
 * others wait their turn.
 */
#pragma once

#include "core/agent.h"

typedef struct GaFreezer GaFreezer;

/* How many file systems, or an error (transfer full). From the main loop or from within the call;
 * not at all if the freezer goes first. */
typedef void (*GaFreezerDone)(gint64 count, GError *error, gpointer user_data);

GaFreezer *ga_freezer_new(GaAgent *agent);

/* What is frozen stays frozen, and guarded. */
void ga_freezer_free(GaFreezer *freezer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GaFreezer, ga_freezer_free)

/* Freeze those at the mount points `only` (of char *, copied), or all (NULL). `command` lives for
 * ever. */
void ga_freezer_freeze(GaFreezer *freezer, const char *command, const GPtrArray *only,
                       GaFreezerDone done, gpointer user_data);
void ga_freezer_thaw(GaFreezer *freezer, GaFreezerDone done, gpointer user_data);

/* The agent has started. */
void ga_freezer_resume(GaFreezer *freezer);

/* Call idle(), once, when no operation is under way any more. FALSE: none is. */
gboolean ga_freezer_wait(GaFreezer *freezer, void (*idle)(gpointer owner), gpointer owner);

gboolean ga_freezer_is_guarded(const GaFreezer *freezer);
