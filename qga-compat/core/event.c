/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ring grows to its size as events come: most agents see a few, and then a reboot. */
#include "core/event.h"

struct GaEvents {
    GArray *ring; /* GaEvent: number n is at (n - 1) % GA_EVENTS_MAX; owns the ids */
    guint64 last;
    GaEventAdded added;
    gpointer owner;
};

GaEvents *
ga_events_new(void)
{
    GaEvents *events = g_new0(GaEvents, 1);

    events->ring = g_array_new(FALSE, TRUE, sizeof(GaEvent));
    return events;
}

static GaEvent *
place_of(const GaEvents *events, guint64 number)
{
    return &g_array_index(events->ring, GaEvent, (number - 1) % GA_EVENTS_MAX);
}

void
ga_events_free(GaEvents *events)
{
    if (!events)
        return;
    for (guint i = 0; i < events->ring->len; i++)
        g_free(g_array_index(events->ring, GaEvent, i).id);
    g_array_free(events->ring, TRUE);
    g_free(events);
}

void
ga_events_add(GaEvents *events, const GaEvent *event, gint64 time_ns)
{
    events->last++;
    if (events->last <= GA_EVENTS_MAX)
        g_array_set_size(events->ring, (guint)events->last);

    GaEvent *place = place_of(events, events->last);
    g_free(place->id);
    *place = *event;
    place->number = events->last;
    place->time_ns = time_ns;
    place->id = g_strndup(event->id, GA_EVENT_ID_MAX);
    if (events->added)
        events->added(events->owner, place);
}

guint64
ga_events_first(const GaEvents *events)
{
    return events->last - events->ring->len + 1;
}

guint64
ga_events_last(const GaEvents *events)
{
    return events->last;
}

const GaEvent *
ga_events_get(const GaEvents *events, guint64 number)
{
    g_return_val_if_fail(number >= ga_events_first(events) && number <= events->last, NULL);
    return place_of(events, number);
}

void
ga_events_watch(GaEvents *events, GaEventAdded added, gpointer owner)
{
    events->added = added;
    events->owner = owner;
}

static gpointer
events_open(GaAgent *agent)
{
    GaEvents *events = ga_events_new();

    ga_events_add(events, &(GaEvent){ .type = GA_EVENT_AGENT_STARTED }, ga_agent_started(agent));
    return events;
}

static void
events_close(gpointer state)
{
    ga_events_free(state);
}

static const GaSlot events_slot = { "events", events_open, events_close };

GaEvents *
ga_events_of(GaAgent *agent)
{
    return ga_agent_slot(agent, &events_slot);
}

void
ga_event_emit(GaAgent *agent, const GaEvent *event)
{
    ga_events_add(ga_events_of(agent), event, g_get_real_time() * 1000);
}
