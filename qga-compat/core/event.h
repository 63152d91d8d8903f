/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What has happened, for clients that ask: the youngest events, in a ring. To tell one costs a
 * copy of some words; no disk is touched, and nothing is sent because of it.
 */
#pragma once

#include "core/agent.h"

/* So many are kept: a client that asks every few seconds misses nothing. */
#define GA_EVENTS_MAX 256

/* Of an id; those of the agent are shorter, and what a damaged record says is cut. */
#define GA_EVENT_ID_MAX 64

/* In the order of the schema. */
typedef enum {
    GA_EVENT_AGENT_STARTED,
    GA_EVENT_FROZEN,
    GA_EVENT_THAWED,
    GA_EVENT_FREEZE_EXPIRED,
    GA_EVENT_JOB_STATUS_CHANGE,
    GA_EVENT_EXEC_STARTED,
    GA_EVENT_EXEC_ENDED,
    GA_EVENT_EXEC_CLOSED,
} GaEventType;

/* Never what somebody has typed, no path and no argument: only what names and counts. */
typedef struct {
    guint64 number; /* 1 for the first one of an agent; the ring's to set, like the time */
    gint64 time_ns; /* since 1970, by the guest's clock */
    GaEventType type;
    char *id;               /* of the freeze (NULL: it has none), the job or the program */
    gint64 count;           /* frozen, thawed: file systems; -1: not known */
    gint status, outcome;   /* job: of the enums of its schema */
    gint64 pid;             /* program */
    gint exit_code, signal; /* program ended: `signal` is 0 if it did so by itself */
} GaEvent;

typedef struct GaEvents GaEvents;

/* Empty. */
GaEvents *ga_events_new(void);
void ga_events_free(GaEvents *events);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GaEvents, ga_events_free)

/* Copies all of it. */
void ga_events_add(GaEvents *events, const GaEvent *event, gint64 time_ns);

/* The numbers of the eldest that is kept and of the youngest; 1 and 0: there was none. */
guint64 ga_events_first(const GaEvents *events);
guint64 ga_events_last(const GaEvents *events);

/* One between these two; borrowed until the next one is added. */
const GaEvent *ga_events_get(const GaEvents *events, guint64 number);

/* Told of each one when it is in the ring; NULL: nobody any more. */
typedef void (*GaEventAdded)(gpointer owner, const GaEvent *event);
void ga_events_watch(GaEvents *events, GaEventAdded added, gpointer owner);

/* The agent's, of which the first one is its start. */
GaEvents *ga_events_of(GaAgent *agent);

/* It happens now. Not while slots are closed. */
void ga_event_emit(GaAgent *agent, const GaEvent *event);
