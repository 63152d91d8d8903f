/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An agent with the real command table on a memory channel, for commands that settle later. */
#pragma once

#include "core/agent.h"
#include "core/config.h"
#include "memory-channel.h"

typedef struct {
    GaAgent *agent;
    MemoryChannel *channel;
    GaEndpoint endpoint;
    char *folder;
    GaConfig *config; /* the defaults; what it keeps is in the folder */
} TableAgent;

TableAgent *table_agent_new(void);
void table_agent_free(TableAgent *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TableAgent, table_agent_free)

/* Send a request and wait until the next one would run; returns what came: a line, or "". */
char *table_agent_ask(TableAgent *table, const char *request);

/* Send without waiting; what came so far. */
void table_agent_send(TableAgent *table, const char *request);
const char *table_agent_received(const TableAgent *table);
