/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "extensions/quiesce/prepared.h"

#include "core/refusal.h"

typedef struct {
    char *id;
    Holding *holding; /* NULL: none */
    guint timer;
} Prepared;

static void
clear(Prepared *prepared)
{
    if (prepared->timer)
        g_source_remove(prepared->timer);
    prepared->timer = 0;
    g_clear_pointer(&prepared->id, g_free);
    g_clear_pointer(&prepared->holding, holding_free);
}

static gboolean
give_up(gpointer user_data)
{
    Prepared *prepared = user_data;

    prepared->timer = 0;
    clear(prepared);
    return G_SOURCE_REMOVE;
}

static gpointer
prepared_open(G_GNUC_UNUSED GaAgent *agent)
{
    return g_new0(Prepared, 1);
}

static void
prepared_close(gpointer state)
{
    clear(state);
    g_free(state);
}

static const GaSlot slot = { "quiesce-prepared", prepared_open, prepared_close };

void
prepared_put(GaAgent *agent, const char *id, Holding *holding)
{
    Prepared *prepared = ga_agent_slot(agent, &slot);

    clear(prepared);
    prepared->id = g_strdup(id);
    prepared->holding = holding;
    prepared->timer = g_timeout_add_seconds(PREPARED_SECONDS, give_up, prepared);
}

Holding *
prepared_take(GaAgent *agent, const char *id, GError **error)
{
    Prepared *prepared = ga_agent_slot(agent, &slot);

    if (g_strcmp0(prepared->id, id) != 0) {
        ga_refuse(error, GA_REFUSAL_NOT_FOUND,
                  "the job %s has made no applications ready, or not in the last minutes", id);
        return NULL;
    }

    Holding *holding = g_steal_pointer(&prepared->holding);
    clear(prepared);
    return holding;
}
