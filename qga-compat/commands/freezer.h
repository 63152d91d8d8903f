/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Freezing and thawing as the sequence of steps that upstream has, none of which stops
 * the main loop. Operations come from several sessions; one is under way at a time, the
 * others wait their turn.
 */
#pragma once

#include "commands/freeze-report.h"
#include "commands/keepalive.h"
#include "core/agent.h"

typedef struct GaFreezer GaFreezer;

/* How many file systems, or an error (transfer full). From the main loop or from within the call;
 * not at all if the freezer goes first. */
typedef void (*GaFreezerDone)(gint64 count, GError *error, gpointer user_data);

GaFreezer *ga_freezer_new(GaAgent *agent);

/* What is frozen stays frozen, and guarded. */
void ga_freezer_free(GaFreezer *freezer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GaFreezer, ga_freezer_free)

/* The one that the agent's commands share. */
GaFreezer *ga_freezer_of(GaAgent *agent);

/* What is held still from just before the freeze, when the hook is done, until the thaw. */
typedef struct GaFreezeHolder GaFreezeHolder;

/* With an error (transfer full) it could not be, or was not held all the time. From the main
 * loop. */
typedef void (*GaFreezeHeld)(GError *error, gpointer user_data);

typedef struct {
    /* Once, for a freeze that begins. An error fails it. */
    void (*hold)(GaFreezeHolder *holder, GaFreezeHeld held, gpointer user_data);
    /* Once, when it is over, or could not begin; whatever was held is let go. */
    void (*release)(GaFreezeHolder *holder, GaFreezeHeld released, gpointer user_data);
    /* For the hook, which does not have to care for them: words, or ""; transfer full. */
    char *(*kinds)(const GaFreezeHolder *holder);
    /* When there is another freeze, or the freezer goes. Nothing is called back after it. */
    void (*free)(GaFreezeHolder *holder);
} GaFreezeHolderClass;

struct GaFreezeHolder {
    const GaFreezeHolderClass *class;
};

typedef struct {
    const char *command;    /* lives for ever */
    const GPtrArray *only;  /* mount points (of char *, copied); NULL: all */
    guint deadline_ms;      /* from the frozen state on; 0: none */
    const char *id;         /* told of it also after a restart (copied); NULL: it has none */
    GaFreezeHolder *holder; /* transfer full; NULL: none */
} GaFreezeRequest;

void ga_freezer_freeze(GaFreezer *freezer, const GaFreezeRequest *request, GaFreezerDone done,
                       gpointer user_data);
void ga_freezer_thaw(GaFreezer *freezer, const char *command, GaFreezerDone done,
                     gpointer user_data);

/* The same, but only if the freeze is `id` (copied), else an error, and nothing is done. Once that
 * is over, here or before, it is no error whatever the report says of it. */
void ga_freezer_thaw_one(GaFreezer *freezer, const char *command, const char *id,
                         GaFreezerDone done, gpointer user_data);

/* Put the deadline off, to `deadline` if that is later. */
void ga_freezer_keep(GaFreezer *freezer, gint64 deadline, GaFreezerKept kept, gpointer user_data);

typedef enum {
    GA_FREEZER_IDLE,
    GA_FREEZER_PREPARING, /* the hook runs, or the file systems are looked up */
    GA_FREEZER_FREEZING,
    GA_FREEZER_FROZEN,
    GA_FREEZER_THAWING,
} GaFreezerPhase;

GaFreezerPhase ga_freezer_phase(const GaFreezer *freezer);

/* Of the freeze that is under way, or of the last one. */
const GaFreezeReport *ga_freezer_report(const GaFreezer *freezer);

/* Of the same freeze, NULL: it had none, or not here. */
const GaFreezeHolder *ga_freezer_holder(const GaFreezer *freezer);

/* The agent has started. */
void ga_freezer_resume(GaFreezer *freezer);

/* Call idle(), once, when no operation is under way any more. FALSE: none is. */
gboolean ga_freezer_wait(GaFreezer *freezer, void (*idle)(gpointer owner), gpointer owner);

gboolean ga_freezer_is_guarded(const GaFreezer *freezer);
