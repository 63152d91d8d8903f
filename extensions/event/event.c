/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * novacron-event-read. A reader that waits passes over what it has not asked for as that
 * comes, so that a flood of it is no loss to it.
 */
#include <string.h>

#include "core/area.h"
#include "core/bounds.h"
#include "core/event.h"
#include "core/refusal.h"
#include "core/wait.h"
#include "gen/event-commands.h"
#include "runtime/qapi-write.h"

/* Around the list. */
#define ENVELOPE 256

/* Sets of types, a bit for each. */
#define BIT(type) (1U << (type))
#define OF_FREEZES (BIT(GA_EVENT_FROZEN) | BIT(GA_EVENT_THAWED) | BIT(GA_EVENT_FREEZE_EXPIRED))
#define OF_JOBS BIT(GA_EVENT_JOB_STATUS_CHANGE)
#define OF_PROGRAMS \
    (BIT(GA_EVENT_EXEC_STARTED) | BIT(GA_EVENT_EXEC_ENDED) | BIT(GA_EVENT_EXEC_CLOSED))
#define ALL (~0U)

typedef struct {
    GPtrArray *waits; /* Reading */
    GaEvents *events;
} Readers;

typedef struct {
    Readers *readers;
    GaCall *call;
    GaWait *wait;
    guint64 after;
    guint types;
    gsize max_bytes;
} Reading;

/* What tells the same, and may be blocked: of a name that this build does not have nothing
 * happens. */
static const struct {
    guint types;
    const char *command;
} powers[] = {
    { OF_FREEZES, "guest-fsfreeze-status" },
    { OF_FREEZES, "novacron-quiesce-status" },
    { OF_JOBS, "novacron-job-query" },
    { OF_PROGRAMS, "novacron-exec-list" },
};

void
ga_probe_event(G_GNUC_UNUSED GaAgent *agent, G_GNUC_UNUSED GaAreaReport *report)
{
}

static gboolean
wants(const Reading *reading, const GaEvent *event)
{
    return reading->types & BIT(event->type);
}

static void
on_added(gpointer owner, const GaEvent *event)
{
    const Readers *readers = owner;

    for (guint i = 0; i < readers->waits->len; i++) {
        Reading *reading = readers->waits->pdata[i];

        if (wants(reading, event))
            ga_wait_end(reading->wait);
        else if (reading->after + 1 == event->number)
            reading->after++;
    }
}

static gpointer
readers_open(GaAgent *agent)
{
    Readers *readers = g_new0(Readers, 1);

    readers->waits = g_ptr_array_new();
    readers->events = ga_events_of(agent);
    ga_events_watch(readers->events, on_added, readers);
    return readers;
}

static void
readers_close(gpointer state)
{
    Readers *readers = state;

    ga_events_watch(readers->events, NULL, NULL);
    for (guint i = 0; i < readers->waits->len; i++) {
        Reading *reading = readers->waits->pdata[i];

        ga_wait_free(reading->wait);
        g_free(reading);
    }
    g_ptr_array_free(readers->waits, TRUE);
    g_free(readers);
}

static const GaSlot readers_slot = { "event readers", readers_open, readers_close };

static NovacronEvent *
describe(const GaEvent *event)
{
    NovacronEvent *description = g_new0(NovacronEvent, 1);
    guint type = BIT(event->type);

    description->number = event->number;
    description->time_ns = event->time_ns;
    description->type = (NovacronEventType)event->type;
    description->id = g_strdup(event->id);
    if (type & OF_FREEZES) {
        description->has_file_systems = event->count >= 0;
        description->file_systems = event->count;
    } else if (type & OF_JOBS) {
        description->has_status = TRUE;
        description->status = (NovacronJobStatus)event->status;
        description->has_outcome = event->status == NOVACRON_JOB_STATUS_CONCLUDED;
        description->outcome = (NovacronJobOutcome)event->outcome;
    } else if (type & OF_PROGRAMS) {
        description->has_pid = TRUE;
        description->pid = event->pid;
        description->has_signal = event->type == GA_EVENT_EXEC_ENDED && event->signal;
        description->signal = event->signal;
        description->has_exit_code = event->type == GA_EVENT_EXEC_ENDED && !event->signal;
        description->exit_code = event->exit_code;
    }
    return description;
}

/* In a reply, with the comma. */
static gsize
size_of(const NovacronEvent *event)
{
    g_autoptr(QapiWriter) writer = qapi_writer_new();
    gsize size;

    qapi_write_struct(writer, &novacron_event_type, event);
    g_free(qapi_writer_to_text(writer, &size));
    return size + strlen(", ");
}

/* Returns the last number that it has passed. */
static guint64
collect(const Reading *reading, guint64 after, GPtrArray *list)
{
    const GaEvents *events = reading->readers->events;
    guint64 last = ga_events_last(events);
    gsize room = reading->max_bytes - ENVELOPE;

    for (guint64 number = after + 1; number <= last; number++) {
        const GaEvent *event = ga_events_get(events, number);
        if (!wants(reading, event))
            continue;

        NovacronEvent *description = describe(event);
        gsize size = size_of(description);
        if (size > room && list->len > 0) {
            novacron_event_free(description);
            return number - 1;
        }
        g_ptr_array_add(list, description);
        room -= MIN(size, room);
    }
    return last;
}

static void
answer(const Reading *reading)
{
    guint64 before = ga_events_first(reading->readers->events) - 1;
    GPtrArray *list = g_ptr_array_new();
    g_autoptr(NovacronEvents) events = g_new0(NovacronEvents, 1);

    events->epoch = ga_agent_started(ga_call_agent(reading->call));
    events->lost = before - MIN(reading->after, before);
    events->next = collect(reading, MAX(reading->after, before), list);
    events->events = list;
    novacron_event_read_return(reading->call, events);
}

static void
on_wait_over(G_GNUC_UNUSED GaCall *call, gpointer user_data)
{
    g_autofree Reading *reading = user_data;

    g_ptr_array_remove_fast(reading->readers->waits, reading);
    answer(reading);
}

/* Also that there is nothing any more. */
static gboolean
has_news(const Reading *reading)
{
    const GaEvents *events = reading->readers->events;
    guint64 last = ga_events_last(events);
    guint64 number = reading->after + 1;

    if (number < ga_events_first(events))
        return TRUE;
    while (number <= last && !wants(reading, ga_events_get(events, number)))
        number++;
    return number <= last;
}

/* FALSE: refused. */
static gboolean
choose_types(GaAgent *agent, const GArray *types, guint *ret_types, GError **error)
{
    const GaCommandTable *table = ga_agent_table(agent);
    guint wanted = types ? 0 : ALL;

    for (guint i = 0; types && i < types->len; i++)
        wanted |= BIT(g_array_index(types, NovacronEventType, i));
    for (guint i = 0; i < G_N_ELEMENTS(powers); i++) {
        const GaCommand *command = ga_command_find(table, powers[i].command);

        if (!command || ga_gate_lists(ga_agent_gate(agent), command))
            continue;
        if (types && wanted & powers[i].types) {
            ga_refuse(error, GA_REFUSAL_PERMISSION, "%s has been disabled, and so are its events",
                      powers[i].command);
            return FALSE;
        }
        wanted &= ~powers[i].types;
    }
    *ret_types = wanted;
    return TRUE;
}

void
novacron_event_read(GaCall *call, const NovacronEventReadArgs *args)
{
    GaAgent *agent = ga_call_agent(call);
    Reading reading = { .readers = ga_agent_slot(agent, &readers_slot), .call = call };
    guint64 last = ga_events_last(reading.readers->events);
    GError *error = NULL;

    if (!choose_types(agent, args->types, &reading.types, &error)) {
        ga_call_fail(call, error);
        return;
    }
    /* what there is not yet was told by an agent before this one */
    reading.after = args->has_after && args->after <= last ? args->after : 0;
    reading.max_bytes = args->has_max_bytes ? CLAMP(args->max_bytes, ENVELOPE, GA_REPLY_MAX_BYTES)
                                            : GA_REPLY_DEFAULT_BYTES;
    if (!args->has_wait_ms || args->wait_ms == 0 || has_news(&reading)) {
        answer(&reading);
        return;
    }
    reading.after = last;

    Reading *waiting = g_memdup(&reading, sizeof reading);
    g_ptr_array_add(reading.readers->waits, waiting);
    waiting->wait = ga_wait_new(call, args->wait_ms, on_wait_over, waiting);
}
