/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One request, from acceptance until its single reply.
 *
 * A call is settled exactly once, by ga_call_return() or ga_call_fail(), from the
 * main thread, now or any number of loop turns later. Settling consumes it. A
 * client that leaves does not end its call; the reply then goes nowhere.
 */
#pragma once

#include "core/command.h"
#include "runtime/qapi-value.h"

typedef struct GaAgent GaAgent;
typedef struct GaSession GaSession;

/* `request` is the value that `arguments` and `id` (each may be NULL) stand in; the call takes a
 * reference. It belongs to the session until it is settled. */
GaCall *ga_call_new(GaSession *session, const GaCommand *command, QapiValue *request,
                    const QapiNode *id);

/* Read the arguments and run the command. Anything wrong with them settles the call. */
void ga_call_start(GaCall *call, const QapiNode *arguments);

/* Settle with a result: the place where a member of the command's result type would stand (the
 * address of a pointer, or of a scalar), NULL for commands without one. What it points to stays
 * the caller's. */
void ga_call_return(GaCall *call, gconstpointer place);

/* Settle with a result that is freed: an object or a list; a scalar in memory of g_malloc(); NULL
 * for commands without one. */
void ga_call_return_full(GaCall *call, gpointer result /* (transfer full) */);

/* Settle with a result that is JSON text already. */
void ga_call_return_text(GaCall *call, const char *text, gsize size);

/* Settle with an error. */
void ga_call_fail(GaCall *call, GError *error /* (transfer full) */);

/* For g_autoptr: a handler that loses its call unsettled answers an error and logs a critical,
 * so that a bug of ours does not hang a host. */
void ga_call_drop(GaCall *call);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GaCall, ga_call_drop)

/* Put a byte 0xFF before the reply if it is a success (guest-sync-delimited). */
void ga_call_delimit(GaCall *call);

/* Have `seen` called, once, when the client sends more than this request, or leaves: nothing that
 * can be done without is worth waiting for then. NULL ends the look-out. (core/wait.h) */
void ga_call_look_out(GaCall *call, void (*seen)(gpointer user_data), gpointer user_data);

/* For the session: that has come about. */
void ga_call_see(GaCall *call);

/* The client left: settle as usual, nobody will see it. */
void ga_call_orphan(GaCall *call);

/* The session goes with its call still running: forget it. */
void ga_call_free(GaCall *call);

const GaCommand *ga_call_command(const GaCall *call);
GaAgent *ga_call_agent(const GaCall *call);
const GaSession *ga_call_session(const GaCall *call);
