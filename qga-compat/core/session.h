/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A session: one channel with a parser and an outbox of its own. It runs one
 * call at a time (clients rely on the order of answers) while other sessions
 * go on. Handles, exec pids, the gate and the frozen state belong to the agent.
 */
#pragma once

#include "core/agent.h"
#include "core/call.h"
#include "core/channel.h"
#include "runtime/qapi-write.h"

typedef GaChannel *(*GaChannelOpen)(const GaEndpoint *endpoint, const GaChannelEvents *events,
                                    gpointer owner, GError **error);

/* What is to happen when the channel cannot be opened, or is lost. */
typedef enum {
    GA_SESSION_VITAL, /* upstream's channel: the agent ends */
    GA_SESSION_RETRY, /* upstream's channel with --retry-path: again every 5 s, with its logs */
    GA_SESSION_EXTRA, /* one more session: again every 5 s, quietly */
} GaSessionRole;

/* The agent owns the session. `endpoint` must outlive it. */
GaSession *ga_session_new(GaAgent *agent, GaSessionRole role, const GaEndpoint *endpoint,
                          GaChannelOpen open);
void ga_session_free(GaSession *session);

/* For good: its call may still be settled, but no other one starts. */
void ga_session_close(GaSession *session);

/* Open the channel. Fails only in the role GA_SESSION_VITAL; the others try again later. */
gboolean ga_session_open(GaSession *session, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether the channel could ever be opened. */
gboolean ga_session_was_open(const GaSession *session);

GaAgent *ga_session_agent(const GaSession *session);

/* How its channel is carried, and whether it is upstream's, which others use too. */
const char *ga_session_method(const GaSession *session);
gboolean ga_session_is_shared(const GaSession *session);

/* Overwrite the input that is consumed: there was a secret in it. */
void ga_session_forget_input(GaSession *session);

/* For calls: where the running call's reply goes, and that it is there. */
QapiWriter *ga_session_writer(GaSession *session);
void ga_session_settled(GaSession *session);
