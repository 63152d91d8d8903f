/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sessions: input → parser → call → outbox → channel, one request after the
 * other, as far as it goes without waiting. Whatever was waited for (input, a
 * writable channel, a settled call, the next turn) ends in advance(), which
 * looks at the state and goes on; there is no other state machine.
 *
 * Peers come and go while the parser's state and a running call stay, as
 * upstream: a half-sent request is completed by the next peer. Only replies are
 * never given to a peer that did not ask.
 */
#include "core/session.h"

#include <string.h>

#include "core/dispatch.h"
#include "core/log.h"
#include "core/outbox.h"
#include "core/reply.h"
#include "runtime/qapi-error.h"
#include "runtime/qapi-parse.h"
#include "runtime/qapi-secret.h"

/* One read of the channel. Input waits here while a call runs; when it is full, the channel is
 * not read: the peer's own buffers hold the rest. */
#define INBOX_SIZE (256 * 1024)

/* What one session may do in one turn of the loop, so that a peer that floods or reads 64 MiB
 * does not keep the other sessions waiting. Requests are not counted: one may be a ping or start a
 * process, which is 2 us or 1 ms. The output takes less than 1 ms. */
#define TURN_TIME (1 * G_TIME_SPAN_MILLISECOND)
#define OUTPUT_PER_TURN (512 * 1024)

/* Upstream's pause before it opens a lost channel again. */
#define RETRY_SECONDS 5

struct GaSession {
    GaAgent *agent;
    GaSessionRole role;
    const GaEndpoint *endpoint;
    GaChannelOpen open;
    GaChannel *channel; /* NULL while it cannot be opened */

    QapiParser *parser;
    GaOutbox *outbox;
    GaCall *call; /* running */

    gboolean was_open;
    gboolean is_advancing;
    gboolean is_ended;  /* this peer's input ended */
    gboolean is_gone;   /* this peer reads no more: replies are dropped */
    gboolean is_hiding; /* a request with a secret may still be incomplete: input is not logged */
    guint turn;         /* source of the next turn, or 0 */
    guint retry;        /* source of the next attempt to open, or 0 */

    gsize begin, end; /* of what is in the inbox */
    guint8 inbox[INBOX_SIZE];
};

static void advance(GaSession *session);

static gboolean
next_turn(gpointer user_data)
{
    GaSession *session = user_data;

    session->turn = 0;
    advance(session);
    return G_SOURCE_REMOVE;
}

static gboolean
is_blank(guint8 byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* Whether more is there than what stands between requests. */
static gboolean
has_input(const GaSession *session)
{
    gsize next = session->begin;

    while (next < session->end && is_blank(session->inbox[next]))
        next++;
    return next < session->end;
}

/* A call that waits hears that its client wants something else. */
static void
look_out(GaSession *session)
{
    if (session->call && (session->is_gone || has_input(session)))
        ga_call_see(session->call);
}

static void
schedule_turn(GaSession *session)
{
    if (session->turn == 0)
        session->turn = g_idle_add_full(G_PRIORITY_DEFAULT, next_turn, session, NULL);
}

static void
drop_peer(GaSession *session)
{
    session->is_gone = TRUE;
    ga_outbox_discard(session->outbox);
    if (session->call)
        ga_call_orphan(session->call);
    look_out(session);
}

static void
answer_error(GaSession *session, GError *error, QapiValue *value, const QapiNode *id)
{
    if (!session->is_gone)
        ga_reply_error(ga_outbox_writer(session->outbox), error, value, id);
    g_error_free(error);
}

static void
start_call(GaSession *session, QapiValue *value)
{
    GaRequest request;
    GError *error = NULL;

    if (ga_agent_is_verbose(session->agent))
        g_debug("processing command");

    session->call = ga_dispatch(session, value, &request, &error);
    if (!session->call) {
        answer_error(session, error, value, request.id);
        return;
    }
    if (session->is_gone)
        ga_call_orphan(session->call);
    ga_call_start(session->call, request.arguments);
    look_out(session);
}

/* Consume input up to the next request or error. */
static void
parse(GaSession *session)
{
    g_autoptr(QapiValue) value = NULL;
    GError *error = NULL;
    gsize consumed;

    QapiParseResult result = qapi_parser_push(session->parser, session->inbox + session->begin,
                                              session->end - session->begin, &consumed, &value,
                                              &error);
    session->begin += consumed;
    if (session->begin == session->end)
        session->begin = session->end = 0;

    if (result != QAPI_PARSE_MORE && ga_agent_is_verbose(session->agent))
        g_debug("process_event: called");
    if (result == QAPI_PARSE_VALUE)
        start_call(session, value);
    else if (result == QAPI_PARSE_ERROR)
        answer_error(session, error, NULL, NULL);
}

/* Do what the outbox's state asks for; TRUE if the session can go on now. */
static gboolean
after_output(GaSession *session, GaOutboxState state)
{
    switch (state) {
    case GA_OUTBOX_DONE:
        return TRUE;
    case GA_OUTBOX_GONE:
        drop_peer(session);
        return TRUE;
    case GA_OUTBOX_YIELD:
        schedule_turn(session);
        return FALSE;
    case GA_OUTBOX_BLOCKED:
        return FALSE;
    }
    g_return_val_if_reached(FALSE);
}

/* Run requests until something has to be waited for; TRUE if that is input. */
static gboolean
run_requests(GaSession *session, gsize *output_budget)
{
    gint64 end = g_get_monotonic_time() + TURN_TIME;

    while (!session->call) {
        if (!after_output(session,
                          ga_outbox_encode(session->outbox, session->channel, output_budget)))
            return FALSE;
        if (session->begin == session->end)
            return TRUE;
        if (g_get_monotonic_time() >= end) {
            schedule_turn(session);
            return FALSE;
        }
        parse(session);
    }
    return FALSE;
}

static void
advance(GaSession *session)
{
    gsize output_budget = OUTPUT_PER_TURN;

    /* A handler that settles its call at once brings us here again from within parse(). */
    if (session->is_advancing || !session->channel)
        return;

    session->is_advancing = TRUE;
    gboolean needs_input = run_requests(session, &output_budget);
    gboolean is_flushed = after_output(
        session, ga_outbox_flush(session->outbox, session->channel, &output_budget));
    session->is_advancing = FALSE;

    /* The newline behind a running request must not hide from it that its client sends more. */
    session->channel->class->set_reading(
        session->channel, !session->is_ended && session->end < INBOX_SIZE && !has_input(session));
    if (session->is_ended && needs_input && is_flushed) {
        session->is_ended = session->is_gone = session->is_hiding = FALSE;
        session->channel->class->end_peer(session->channel);
    }
}

static guint8 *
on_reserve(gpointer owner, gsize *ret_size)
{
    GaSession *session = owner;

    *ret_size = INBOX_SIZE - session->end;
    return session->inbox + session->end;
}

/* A name that one read has the beginning of, and the next one the end, is not recognised. */
static gboolean
names_secret(const GaSession *session, const char *data, gsize size)
{
    const GaCommandTable *table = ga_agent_table(session->agent);

    for (guint i = 0; i < table->n_rows; i++)
        if (table->rows[i].flags & GA_COMMAND_SECRET &&
            g_strstr_len(data, (gssize)size, table->rows[i].name))
            return TRUE;
    return FALSE;
}

/* For an administrator who looks for what a client does, not for its passwords. */
static void
log_input(GaSession *session, const char *data, gsize size)
{
    session->is_hiding |= names_secret(session, data, size);
    if (session->is_hiding)
        g_debug("read data, count: %" G_GSIZE_FORMAT ", data: (a secret)", size);
    else
        g_debug("read data, count: %" G_GSIZE_FORMAT ", data: %.*s", size, (gint)size, data);
}

static void
on_received(gpointer owner, gsize size)
{
    GaSession *session = owner;

    if (ga_agent_is_verbose(session->agent))
        log_input(session, (const char *)session->inbox + session->end, size);
    session->end += size;
    look_out(session);
    advance(session);
}

static void
on_writable(gpointer owner)
{
    advance(owner);
}

static void
on_end_of_input(gpointer owner)
{
    GaSession *session = owner;

    if (ga_agent_is_verbose(session->agent))
        g_debug("received EOF");
    session->is_ended = TRUE;
    advance(session);
}

static void
on_peer_gone(gpointer owner)
{
    drop_peer(owner);
    advance(owner); /* its output may have been what was waited for */
}

static gboolean on_retry(gpointer user_data);

static void
retry_later(GaSession *session)
{
    if (session->role == GA_SESSION_RETRY) {
        g_warning("agent stopped unexpectedly, restarting...");
        g_warning("waiting for channel path...");
    }
    if (session->retry == 0)
        session->retry = g_timeout_add_seconds(RETRY_SECONDS, on_retry, session);
}

static void
on_failed(gpointer owner, const GError *error)
{
    GaSession *session = owner;

    g_warning("error reading channel: %s", error->message);
    session->begin = session->end = 0;
    drop_peer(session);
    session->is_ended = session->is_gone = session->is_hiding = FALSE;
    session->channel->class->free(session->channel);
    session->channel = NULL;

    if (session->role == GA_SESSION_VITAL)
        ga_agent_stop(session->agent, 0);
    else
        retry_later(session);
}

static const GaChannelEvents events = {
    .reserve = on_reserve,
    .received = on_received,
    .writable = on_writable,
    .end_of_input = on_end_of_input,
    .peer_gone = on_peer_gone,
    .failed = on_failed,
};

static gboolean
try_open(GaSession *session, GError **error)
{
    session->channel = session->open(session->endpoint, &events, session, error);
    session->was_open |= session->channel != NULL;
    return session->channel != NULL;
}

static gboolean
on_retry(gpointer user_data)
{
    GaSession *session = user_data;
    g_autoptr(GError) error = NULL;

    session->retry = 0;
    if (!try_open(session, &error)) {
        if (session->role == GA_SESSION_RETRY) {
            ga_log_chain(error->message);
            g_critical("failed to initialize guest agent channel");
        }
        retry_later(session);
    }
    return G_SOURCE_REMOVE;
}

gboolean
ga_session_open(GaSession *session, GError **error)
{
    g_autoptr(GError) reason = NULL;

    if (try_open(session, &reason))
        return TRUE;

    switch (session->role) {
    case GA_SESSION_VITAL:
        qapi_set_error(error, "%s\nfailed to initialize guest agent channel", reason->message);
        return FALSE;
    case GA_SESSION_RETRY:
        ga_log_chain(reason->message);
        g_info("failed to initialize guest agent channel, will retry");
        on_retry(session); /* upstream tries at once again, then every 5 s */
        return TRUE;
    case GA_SESSION_EXTRA:
        ga_log_chain(reason->message);
        g_warning("session %s:%s: trying again every %d s", session->endpoint->method,
                  session->endpoint->path, RETRY_SECONDS);
        retry_later(session);
        return TRUE;
    }
    g_return_val_if_reached(FALSE);
}

GaSession *
ga_session_new(GaAgent *agent, GaSessionRole role, const GaEndpoint *endpoint, GaChannelOpen open)
{
    /* The inbox is not zeroed: a page that no input reaches is never made. */
    GaSession *session = g_malloc(sizeof *session);

    memset(session, 0, G_STRUCT_OFFSET(GaSession, inbox));
    session->agent = agent;
    session->role = role;
    session->endpoint = endpoint;
    session->open = open;
    session->parser = qapi_parser_new();
    session->outbox = ga_outbox_new();
    ga_agent_add_session(agent, session);
    return session;
}

void
ga_session_close(GaSession *session)
{
    if (session->channel)
        session->channel->class->free(session->channel);
    session->channel = NULL;
    if (session->turn)
        g_source_remove(session->turn);
    if (session->retry)
        g_source_remove(session->retry);
    session->turn = session->retry = 0;
}

void
ga_session_free(GaSession *session)
{
    if (!session)
        return;
    ga_session_close(session);
    ga_call_free(session->call);
    ga_outbox_free(session->outbox);
    qapi_parser_free(session->parser);
    g_free(session);
}

gboolean
ga_session_was_open(const GaSession *session)
{
    return session->was_open;
}

const char *
ga_session_method(const GaSession *session)
{
    return session->endpoint->method;
}

gboolean
ga_session_is_shared(const GaSession *session)
{
    return session->role != GA_SESSION_EXTRA;
}

GaAgent *
ga_session_agent(const GaSession *session)
{
    return session->agent;
}

/* Input lies anywhere: the inbox is filled from its front whenever it is empty. */
void
ga_session_forget_input(GaSession *session)
{
    qapi_secret_wipe(session->inbox, session->begin);
    qapi_secret_wipe(session->inbox + session->end, INBOX_SIZE - session->end);
    session->is_hiding = FALSE;
}

QapiWriter *
ga_session_writer(GaSession *session)
{
    return ga_outbox_writer(session->outbox);
}

void
ga_session_settled(GaSession *session)
{
    session->call = NULL;
    advance(session);
}
