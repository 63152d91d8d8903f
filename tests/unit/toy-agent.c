/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The toy agent: what the generator would write for nine commands, by hand. */
#include "toy-agent.h"

#include <check.h>
#include <stddef.h>
#include <string.h>

#include "core/wait.h"
#include "toy-schema.h"

typedef struct {
    gint64 a;
    gboolean has_b;
    gint64 b;
} ToyAddArgs;

static const QapiMember add_members[] = {
    { "a", offsetof(ToyAddArgs, a), QAPI_MANDATORY, &qapi_type_int64 },
    { "b", offsetof(ToyAddArgs, b), offsetof(ToyAddArgs, has_b), &qapi_type_int64 },
};
static const guint8 add_order[] = { 0, 1 };
static const QapiType add_type = {
    .name = "toy-add-args",
    .kind = QAPI_KIND_STRUCT,
    .size = sizeof(ToyAddArgs),
    .n_members = 2,
    .members = add_members,
    .wire_order = add_order,
};

typedef struct {
    gint64 size;
} ToyBlockArgs;

static const QapiMember block_members[] = {
    { "size", offsetof(ToyBlockArgs, size), QAPI_MANDATORY, &qapi_type_int64 },
};
static const guint8 block_order[] = { 0 };
static const QapiType block_type = {
    .name = "toy-block-args",
    .kind = QAPI_KIND_STRUCT,
    .size = sizeof(ToyBlockArgs),
    .n_members = 1,
    .members = block_members,
    .wire_order = block_order,
};

typedef struct {
    gint64 ms;
} ToyLingerArgs;

static const QapiMember linger_members[] = {
    { "ms", offsetof(ToyLingerArgs, ms), QAPI_MANDATORY, &qapi_type_int64 },
};
static const guint8 linger_order[] = { 0 };
static const QapiType linger_type = {
    .name = "toy-linger-args",
    .kind = QAPI_KIND_STRUCT,
    .size = sizeof(ToyLingerArgs),
    .n_members = 1,
    .members = linger_members,
    .wire_order = linger_order,
};

static gpointer
waiting_open(G_GNUC_UNUSED GaAgent *agent)
{
    return g_queue_new();
}

static void
waiting_close(gpointer state)
{
    g_queue_free(state);
}

static const GaSlot waiting_slot = { "waiting", waiting_open, waiting_close };

static void
run_add(GaCall *call, gconstpointer arguments)
{
    const ToyAddArgs *args = arguments;
    gint64 sum = args->a + (args->has_b ? args->b : 0);

    ga_call_return(call, &sum);
}

static void
run_block(GaCall *call, gconstpointer arguments)
{
    gsize size = ((const ToyBlockArgs *)arguments)->size;
    char *data = g_malloc(size);

    memset(data, 'x', size);
    g_autoptr(GBytes) bytes = g_bytes_new_take(data, size);
    ga_call_return(call, &bytes);
}

static void
run_nothing(GaCall *call, G_GNUC_UNUSED gconstpointer arguments)
{
    ga_call_return(call, NULL);
}

static void
run_work(GaCall *call, G_GNUC_UNUSED gconstpointer arguments)
{
    for (gint64 end = g_get_monotonic_time() + TOY_WORK_TIME; g_get_monotonic_time() < end;)
        ;
    ga_call_return(call, NULL);
}

static void
run_wait(GaCall *call, G_GNUC_UNUSED gconstpointer arguments)
{
    g_queue_push_tail(ga_agent_slot(ga_call_agent(call), &waiting_slot), call);
}

static void
run_mark(GaCall *call, G_GNUC_UNUSED gconstpointer arguments)
{
    gint64 seven = 7;

    ga_call_delimit(call);
    ga_call_return(call, &seven);
}

typedef struct {
    GaWait *wait;
    gint64 has_happened;
} Linger;

static gpointer
linger_open(G_GNUC_UNUSED GaAgent *agent)
{
    return g_new0(Linger, 1);
}

static void
linger_close(gpointer state)
{
    Linger *linger = state;

    ga_wait_free(linger->wait);
    g_free(linger);
}

static const GaSlot linger_slot = { "linger", linger_open, linger_close };

static void
linger_over(GaCall *call, gpointer user_data)
{
    Linger *linger = user_data;

    linger->wait = NULL;
    ga_call_return(call, &linger->has_happened);
}

static void
run_linger(GaCall *call, gconstpointer arguments)
{
    Linger *linger = ga_agent_slot(ga_call_agent(call), &linger_slot);

    linger->has_happened = 0;
    linger->wait = ga_wait_new(call, (guint)((const ToyLingerArgs *)arguments)->ms, linger_over,
                               linger);
}

typedef struct {
    const GaListing *listing;
    gpointer data;
} Listed;

static gpointer
listed_open(G_GNUC_UNUSED GaAgent *agent)
{
    return g_new0(Listed, 1);
}

static const GaSlot listed_slot = { "listed", listed_open, g_free };

static void
run_list(GaCall *call, gconstpointer arguments)
{
    const Listed *listed = ga_agent_slot(ga_call_agent(call), &listed_slot);

    ga_listing_run(listed->listing, call, arguments, listed->data);
}

static const GaCommand rows[] = {
    { "toy-wait", run_wait, NULL, &qapi_type_int64, 0 },
    { "toy-add", run_add, &add_type, &qapi_type_int64, 0 },
    { "toy-block", run_block, &block_type, &qapi_type_base64, 0 },
    { "toy-quiet", run_nothing, NULL, NULL, GA_COMMAND_SILENT_SUCCESS },
    { "toy-frozen", run_nothing, NULL, NULL, GA_COMMAND_WHILE_FROZEN },
    { "toy-mark", run_mark, NULL, &qapi_type_int64, 0 },
    { "toy-work", run_work, NULL, NULL, 0 },
    { "toy-linger", run_linger, &linger_type, &qapi_type_int64, 0 },
    { "toy-list", run_list, &paging_type, &qapi_type_any, 0 },
};
static const guint16 by_name[] = { 1, 2, 4, 7, 8, 5, 3, 0, 6 };
const GaCommandTable toy_table = { rows, G_N_ELEMENTS(rows), by_name };

static GaSession *
open_session(GaAgent *agent, GaEndpoint *endpoint, MemoryChannel **channel)
{
    endpoint->path = (char *)channel;
    GaSession *session = ga_session_new(agent, GA_SESSION_VITAL, endpoint, memory_channel_open);

    if (!ga_session_open(session, NULL))
        g_assert_not_reached();
    return session;
}

Toy *
toy_new(const char *const *allow, const char *const *block)
{
    Toy *toy = g_new0(Toy, 1);

    toy->agent = ga_agent_new(&toy_table, ga_gate_new(&toy_table, allow, block, NULL), NULL, NULL,
                              NULL);
    toy->session = open_session(toy->agent, &toy->endpoint, &toy->channel);
    return toy;
}

void
toy_free(Toy *toy)
{
    ga_agent_free(toy->agent);
    g_free(toy);
}

MemoryChannel *
toy_add_session(Toy *toy, GaEndpoint *endpoint)
{
    MemoryChannel *channel;

    open_session(toy->agent, endpoint, &channel);
    return channel;
}

void
toy_run(void)
{
    while (g_main_context_iteration(NULL, FALSE))
        ;
}

char *
toy_received(MemoryChannel *channel)
{
    char *text = g_strndup(channel->output->str, channel->output->len);

    g_string_truncate(channel->output, 0);
    return text;
}

char *
toy_ask(Toy *toy, const char *text)
{
    memory_send(toy->channel, text, strlen(text));
    toy_run();
    return toy_received(toy->channel);
}

GaCall *
toy_take(Toy *toy)
{
    return g_queue_pop_head(ga_agent_slot(toy->agent, &waiting_slot));
}

void
toy_settle(Toy *toy, gint64 result)
{
    ga_call_return(toy_take(toy), &result);
    toy_run();
}

void
toy_end_linger(Toy *toy)
{
    Linger *linger = ga_agent_slot(toy->agent, &linger_slot);

    linger->has_happened = 1;
    ga_wait_end(linger->wait);
    toy_run();
}

void
toy_set_listing(Toy *toy, const GaListing *listing, gpointer data)
{
    *(Listed *)ga_agent_slot(toy->agent, &listed_slot) = (Listed){ listing, data };
}

guint
toy_waiting(Toy *toy)
{
    return g_queue_get_length(ga_agent_slot(toy->agent, &waiting_slot));
}

void
toy_lose(Toy *toy)
{
    g_autoptr(GaCall) call = toy_take(toy);

    ck_assert_ptr_nonnull(call);
}
