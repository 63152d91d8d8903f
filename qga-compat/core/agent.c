/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The agent. */
#include "core/agent.h"

#include "core/session.h"

typedef struct {
    const GaSlot *slot;
    gpointer state;
} OpenSlot;

struct GaAgent {
    const GaCommandTable *table;
    GaGate *gate;
    GaPersist *persist;
    GaAccount *account;
    const GaConfig *config;
    GPtrArray *sessions;
    GArray *slots; /* OpenSlot, in order of opening */
    GMainLoop *loop;
    GaFrozenChanged frozen_changed;
    gpointer frozen_owner;
    gint64 started;
    gboolean is_verbose;
    gboolean is_stopped;
    gint status;
};

GaAgent *
ga_agent_new(const GaCommandTable *table, GaGate *gate, GaPersist *persist, GaAccount *account,
             const GaConfig *config)
{
    GaAgent *agent = g_new0(GaAgent, 1);

    agent->table = table;
    agent->gate = gate;
    agent->persist = persist;
    agent->account = account;
    agent->config = config;
    agent->started = g_get_real_time() * 1000;
    agent->sessions = g_ptr_array_new_with_free_func((GDestroyNotify)ga_session_free);
    agent->slots = g_array_new(FALSE, FALSE, sizeof(OpenSlot));
    agent->loop = g_main_loop_new(NULL, FALSE);
    return agent;
}

static void
close_slots(GaAgent *agent)
{
    for (guint i = agent->slots->len; i > 0; i--) {
        OpenSlot *open = &g_array_index(agent->slots, OpenSlot, i - 1);

        if (open->slot->close)
            open->slot->close(open->state);
    }
    g_array_free(agent->slots, TRUE);
}

void
ga_agent_free(GaAgent *agent)
{
    if (!agent)
        return;
    /* Slots may still settle calls, so the sessions go after them; but what such a session would
     * do next must not find a slot that is closed. */
    for (guint i = 0; i < agent->sessions->len; i++)
        ga_session_close(g_ptr_array_index(agent->sessions, i));
    close_slots(agent);
    g_ptr_array_free(agent->sessions, TRUE);
    g_main_loop_unref(agent->loop);
    ga_account_free(agent->account);
    ga_persist_free(agent->persist);
    ga_gate_free(agent->gate);
    g_free(agent);
}

gint
ga_agent_run(GaAgent *agent)
{
    if (!agent->is_stopped)
        g_main_loop_run(agent->loop);
    return agent->status;
}

void
ga_agent_stop(GaAgent *agent, gint status)
{
    agent->is_stopped = TRUE;
    agent->status = status;
    g_main_loop_quit(agent->loop);
}

void
ga_agent_add_session(GaAgent *agent, GaSession *session)
{
    g_ptr_array_add(agent->sessions, session);
}

void
ga_agent_set_verbose(GaAgent *agent, gboolean is_verbose)
{
    agent->is_verbose = is_verbose;
}

gboolean
ga_agent_is_verbose(const GaAgent *agent)
{
    return agent->is_verbose;
}

gint64
ga_agent_started(const GaAgent *agent)
{
    return agent->started;
}

const GaCommandTable *
ga_agent_table(const GaAgent *agent)
{
    return agent->table;
}

GaGate *
ga_agent_gate(const GaAgent *agent)
{
    return agent->gate;
}

GaPersist *
ga_agent_persist(const GaAgent *agent)
{
    return agent->persist;
}

GaAccount *
ga_agent_account(const GaAgent *agent)
{
    return agent->account;
}

const GaConfig *
ga_agent_config(const GaAgent *agent)
{
    return agent->config;
}

void
ga_agent_watch_frozen(GaAgent *agent, GaFrozenChanged changed, gpointer owner)
{
    agent->frozen_changed = changed;
    agent->frozen_owner = owner;
}

static void
warn_of(const GError *error)
{
    g_auto(GStrv) lines = error ? g_strsplit(error->message, "\n", -1) : NULL;

    for (char **line = lines; line && *line; line++)
        g_warning("%s", *line);
}

/* In upstream's words: a line for each command whose turn it is or was. */
static void
set_gate(GaAgent *agent, gboolean is_frozen)
{
    ga_gate_set_frozen(agent->gate, is_frozen);
    for (guint i = 0; agent->is_verbose && i < agent->table->n_rows; i++) {
        const GaCommand *command = &agent->table->rows[i];

        if (!(command->flags & GA_COMMAND_WHILE_FROZEN) &&
            (is_frozen || ga_gate_allows(agent->gate, command)))
            g_debug("%s command: %s", is_frozen ? "disabling" : "enabling", command->name);
    }
}

void
ga_agent_freeze(GaAgent *agent)
{
    g_autoptr(GError) error = NULL;

    g_warning("disabling logging due to filesystem freeze");
    if (!ga_persist_set_frozen(agent->persist, TRUE, &error))
        warn_of(error);
    set_gate(agent, TRUE);
    ga_account_set_muted(agent->account, TRUE);
    if (agent->frozen_changed)
        agent->frozen_changed(agent->frozen_owner, TRUE);
}

void
ga_agent_thaw(GaAgent *agent, gboolean has_expired)
{
    g_autoptr(GError) error = NULL;

    if (agent->frozen_changed)
        agent->frozen_changed(agent->frozen_owner, FALSE);
    if (!(has_expired ? ga_persist_expire(agent->persist, &error)
                      : ga_persist_set_frozen(agent->persist, FALSE, &error)))
        warn_of(error);
    set_gate(agent, FALSE);
    ga_account_set_muted(agent->account, FALSE);
}

gpointer
ga_agent_slot(GaAgent *agent, const GaSlot *slot)
{
    for (guint i = 0; i < agent->slots->len; i++) {
        OpenSlot *open = &g_array_index(agent->slots, OpenSlot, i);

        if (open->slot == slot)
            return open->state;
    }

    OpenSlot open = { slot, slot->open(agent) };
    g_array_append_val(agent->slots, open);
    return open.state;
}
