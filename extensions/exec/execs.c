/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All programs of an agent, and the room that they take. */
#include <string.h>

#include "core/refusal.h"
#include "extensions/exec/exec-private.h"
#include "extensions/exec/limits.h"

/* Each has a process, up to three descriptors, and its room. */
#define RUNNING_MAX 256

/* Nobody may ever come for them. */
#define ENDED_MAX 64

/* Of the output of all that there are. */
#define ROOM_SUM (256 * 1024 * 1024)

/* Ids are typed by people: no longer than this makes them. */
#define FIRST_NUMBER_MASK 0xffff

static gpointer
execs_open(GaAgent *agent)
{
    Execs *execs = g_new0(Execs, 1);

    execs->agent = agent;
    execs->all = g_ptr_array_new();
    execs->starting = g_ptr_array_new();
    execs->last_number = g_random_int() & FIRST_NUMBER_MASK;
    exec_limits_sweep();
    return execs;
}

void
execs_free_if_unused(Execs *execs)
{
    if (!execs->is_closed || execs->starting->len > 0)
        return;
    g_ptr_array_free(execs->all, TRUE);
    g_ptr_array_free(execs->starting, TRUE);
    g_free(execs);
}

/* Programs go on when the agent ends; one that then writes to nobody is told so by its pipe. */
static void
execs_close(gpointer state)
{
    Execs *execs = state;

    for (guint i = 0; i < execs->all->len; i++)
        exec_free(execs->all->pdata[i]);
    execs->is_closed = TRUE;
    execs_free_if_unused(execs);
}

static const GaSlot execs_slot = { "novacron-exec", execs_open, execs_close };

Execs *
execs_of(GaAgent *agent)
{
    return ga_agent_slot(agent, &execs_slot);
}

const GPtrArray *
execs_list(const Execs *execs)
{
    return execs->all;
}

Exec *
execs_find(Execs *execs, const char *id, GError **error)
{
    for (guint i = 0; i < execs->all->len; i++) {
        Exec *exec = execs->all->pdata[i];

        if (strcmp(exec->seen->id, id) == 0)
            return exec;
    }
    ga_refuse(error, GA_REFUSAL_NOT_FOUND, "there is no program %s", id);
    return NULL;
}

void
execs_forget(Exec *exec)
{
    exec_emit(exec, GA_EVENT_EXEC_CLOSED);
    if (exec->seen->timed_out && exec->timer)
        exec_kill_all(exec);
    exec->execs->room -= exec->room;
    g_ptr_array_remove(exec->execs->all, exec);
    exec_disappoint(exec);
    exec_free(exec);
}

static guint
count_running(const Execs *execs)
{
    guint count = 0;

    for (guint i = 0; i < execs->all->len; i++)
        count += ((const Exec *)execs->all->pdata[i])->child_watch ? 1 : 0;
    return count;
}

/* NULL: none has ended. */
static Exec *
first_ended(const Execs *execs)
{
    Exec *first = NULL;

    for (guint i = 0; i < execs->all->len; i++) {
        Exec *exec = execs->all->pdata[i];

        if (!exec->child_watch && (!first || exec->ended < first->ended))
            first = exec;
    }
    return first;
}

/* Whoever does not come for what has ended must not keep others from starting anything. */
static gboolean
make_room(Execs *execs, gsize room)
{
    Exec *ended;

    while (execs->room + room > ROOM_SUM && (ended = first_ended(execs)))
        execs_forget(ended);
    return execs->room + room <= ROOM_SUM;
}

gboolean
execs_find_room(Execs *execs, gsize room, GError **error)
{
    guint n_running = execs->starting->len + count_running(execs);

    if (n_running >= RUNNING_MAX)
        ga_refuse(error, GA_REFUSAL_BUSY, "%u programs run", n_running);
    else if (!make_room(execs, room))
        ga_refuse(error, GA_REFUSAL_BUSY, "the output of others takes all the room");
    else
        return TRUE;
    return FALSE;
}

void
execs_note_end(Exec *exec)
{
    Execs *execs = exec->execs;

    exec->ended = ++execs->last_ended;
    if (execs->all->len - count_running(execs) > ENDED_MAX)
        execs_forget(first_ended(execs));
}
