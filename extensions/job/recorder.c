/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A queue of which the first entry is on a thread. When the agent ends that one is waited for and
 * the rest is done without threads: what was told must be on record.
 */
#include "extensions/job/recorder.h"

#include "core/task.h"
#include "extensions/job/record.h"

/* Between two looks whether file systems are still frozen. */
#define FROZEN_RETRY_MS 250

typedef enum { WAITING, BEGUN, DONE } State;

/* What goes to a thread and comes back. */
typedef struct {
    GaRecorder *recorder; /* NULL: it has gone */
    char *folder, *id;
    char *text; /* NULL: the record is to be removed */
    GaRecorded recorded;
    gpointer user_data;
    GMutex lock; /* of the state; the error is whose it is DONE by */
    GCond done;
    State state;
    GError *error;
} Entry;

struct GaRecorder {
    const GaGate *gate;
    char *folder;
    GQueue waiting; /* Entry */
    Entry *current;
    guint timer; /* while frozen */
};

static void
entry_free(Entry *entry)
{
    g_clear_error(&entry->error);
    g_mutex_clear(&entry->lock);
    g_cond_clear(&entry->done);
    g_free(entry->folder);
    g_free(entry->id);
    g_free(entry->text);
    g_free(entry);
}

static void
perform(Entry *entry)
{
    if (!entry->text)
        ga_record_remove(entry->folder, entry->id);
    else if (!ga_record_write(entry->folder, entry->id, entry->text, &entry->error))
        g_assert(entry->error);
}

/* Whoever comes first does it, who comes later waits until it is done. */
static void
work(gpointer data)
{
    Entry *entry = data;

    g_mutex_lock(&entry->lock);
    if (entry->state == WAITING) {
        entry->state = BEGUN;
        g_mutex_unlock(&entry->lock);
        perform(entry);
        g_mutex_lock(&entry->lock);
        entry->state = DONE;
        g_cond_signal(&entry->done);
    }
    while (entry->state != DONE)
        g_cond_wait(&entry->done, &entry->lock);
    g_mutex_unlock(&entry->lock);
}

static void next(GaRecorder *recorder);

static void
done(gpointer data)
{
    Entry *entry = data;
    GaRecorder *recorder = entry->recorder;

    if (recorder) {
        recorder->current = NULL;
        if (entry->recorded)
            entry->recorded(g_steal_pointer(&entry->error), entry->user_data);
        next(recorder);
    }
    entry_free(entry);
}

static gboolean
on_timer(gpointer user_data)
{
    GaRecorder *recorder = user_data;

    if (ga_gate_is_frozen(recorder->gate))
        return G_SOURCE_CONTINUE;
    recorder->timer = 0;
    next(recorder);
    return G_SOURCE_REMOVE;
}

static void
next(GaRecorder *recorder)
{
    if (recorder->current || recorder->timer || g_queue_is_empty(&recorder->waiting))
        return;
    if (ga_gate_is_frozen(recorder->gate)) {
        recorder->timer = g_timeout_add(FROZEN_RETRY_MS, on_timer, recorder);
        return;
    }
    recorder->current = g_queue_pop_head(&recorder->waiting);
    ga_task_run_patiently(work, done, recorder->current);
}

GaRecorder *
ga_recorder_new(const GaGate *gate, const char *folder)
{
    GaRecorder *recorder = g_new0(GaRecorder, 1);

    recorder->gate = gate;
    recorder->folder = g_strdup(folder);
    g_queue_init(&recorder->waiting);
    return recorder;
}

/* Frozen, it would hang until the thaw. */
static void
finish(GaRecorder *recorder)
{
    if (recorder->current)
        work(recorder->current);
    for (GList *at = recorder->waiting.head; at; at = at->next)
        work(at->data);
}

void
ga_recorder_free(GaRecorder *recorder)
{
    if (!recorder)
        return;
    if (!ga_gate_is_frozen(recorder->gate))
        finish(recorder);
    if (recorder->timer)
        g_source_remove(recorder->timer);
    if (recorder->current)
        recorder->current->recorder = NULL;
    while (!g_queue_is_empty(&recorder->waiting))
        entry_free(g_queue_pop_head(&recorder->waiting));
    g_free(recorder->folder);
    g_free(recorder);
}

static Entry *
add(GaRecorder *recorder, const char *id)
{
    Entry *entry = g_new0(Entry, 1);

    entry->recorder = recorder;
    entry->folder = g_strdup(recorder->folder);
    entry->id = g_strdup(id);
    g_mutex_init(&entry->lock);
    g_cond_init(&entry->done);
    g_queue_push_tail(&recorder->waiting, entry);
    return entry;
}

void
ga_recorder_write(GaRecorder *recorder, const NovacronJob *job, const char *result,
                  GaRecorded recorded, gpointer user_data)
{
    Entry *entry = add(recorder, job->id);

    entry->text = ga_record_text(job, result);
    entry->recorded = recorded;
    entry->user_data = user_data;
    next(recorder);
}

void
ga_recorder_remove(GaRecorder *recorder, const char *id)
{
    add(recorder, id);
    next(recorder);
}
