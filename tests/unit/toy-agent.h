/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An agent with a table of toy commands, for testing the core without an operating system. */
#pragma once

#include "core/listing.h"
#include "core/session.h"
#include "memory-channel.h"

/*
 * toy-add {a: int, *b: int} -> int     plain
 * toy-block {size: int} -> base64      plain; `size` bytes 'x'
 * toy-quiet {}                         no answer on success
 * toy-wait {} -> int                   settled by toy_settle()
 * toy-frozen {}                        runs while frozen
 * toy-mark {} -> int                   answers 7 behind a byte 0xFF
 * toy-work {}                          busy for TOY_WORK_TIME
 * toy-linger {ms: int} -> int          waits (core/wait.h); 1 if toy_end_linger() ended it, else 0
 * toy-list {since, cursor, ...}        lists what toy_set_listing() says
 */
extern const GaCommandTable toy_table;

#define TOY_WORK_TIME (200) /* microseconds */

typedef struct {
    GaAgent *agent;
    GaSession *session;
    MemoryChannel *channel;
    GaEndpoint endpoint;
} Toy;

Toy *toy_new(const char *const *allow, const char *const *block);
void toy_free(Toy *toy);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Toy, toy_free)

/* Another session of the same agent; freed with it. */
MemoryChannel *toy_add_session(Toy *toy, GaEndpoint *endpoint);

/* Send text, run what is due, and return what the peer has received since the last time. */
char *toy_ask(Toy *toy, const char *text);
char *toy_received(MemoryChannel *channel);

/* Run the turns that are scheduled. */
void toy_run(void);

/* Settle the toy-wait call that waits the longest. */
void toy_settle(Toy *toy, gint64 result);
guint toy_waiting(Toy *toy);

void toy_end_linger(Toy *toy);

/* Both are the caller's, for as long as there is the agent. */
void toy_set_listing(Toy *toy, const GaListing *listing, gpointer data);

/* That call, to be settled by the caller. */
GaCall *toy_take(Toy *toy);

/* Drop that call unsettled, as a handler with a bug would. */
void toy_lose(Toy *toy);
