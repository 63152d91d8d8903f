/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A survey asks file systems one after the other on a thread, which is quick and
 * cheap as long as all answer. When the main loop sees that it has come no further
 * for a while, another thread goes on behind the file system that holds it up. At
 * the end of its time a survey is closed, what is still being asked is noted as
 * stuck, and the thread takes the note away when it comes back, if it ever does.
 */
#include "linux/usage.h"

#include <string.h>
#include <sys/statvfs.h>

/* How long a file system may hold up those behind it. */
#define PATIENCE_MS 20

/* Each file system that hangs keeps a thread. When so many do, no other is asked. */
#define STUCK_MAX 64

struct OsUsages {
    gint ref_count;
    GThreadPool *pool; /* runs survey_work() */
    GMutex mutex;      /* for what follows, and for what the surveys share with their threads */
    GHashTable *stuck; /* keys of mounts that a thread hangs with */
};

typedef enum { TO_ASK, ASKED, DONE } State;

/* In the hands of the main thread until it is closed, and of each thread at work. */
typedef struct {
    gint ref_count;
    OsUsages *usages;
    OsUsagesPrepare prepare;
    OsUsagesDone done;
    gpointer data;
    guint timer;         /* the main thread's, as is the next one */
    guint n_done_before; /* when the timer looked last */
    gint64 deadline;
    /* shared */
    gboolean is_prepared, is_closed;
    guint n_mounts, next, n_done;
    char **keys; /* MAJOR:MINOR, a blank, and the directory */
    State *states;
    OsUsage *results; /* NULL if there was nothing to ask */
} Survey;

static void
usages_unref(OsUsages *usages)
{
    if (!g_atomic_int_dec_and_test(&usages->ref_count))
        return;
    g_hash_table_unref(usages->stuck);
    g_mutex_clear(&usages->mutex);
    g_free(usages);
}

static Survey *
survey_ref(Survey *survey)
{
    g_atomic_int_inc(&survey->ref_count);
    return survey;
}

static void
survey_unref(Survey *survey)
{
    if (!g_atomic_int_dec_and_test(&survey->ref_count))
        return;
    usages_unref(survey->usages);
    g_strfreev(survey->keys);
    g_free(survey->states);
    g_free(survey->results);
    g_free(survey);
}

/* On the first thread, which alone has to do with the survey then. */
static void
prepare(Survey *survey)
{
    const OsMounts *mounts = survey->prepare(survey->data);
    if (!mounts)
        return;

    survey->n_mounts = mounts->list->len;
    survey->keys = g_new0(char *, survey->n_mounts + 1);
    survey->states = g_new0(State, survey->n_mounts + 1);
    survey->results = g_new0(OsUsage, survey->n_mounts + 1);
    for (guint i = 0; i < survey->n_mounts; i++) {
        const OsMount *mount = mounts->list->pdata[i];
        survey->keys[i] = g_strdup_printf("%u:%u %s", mount->major, mount->minor, mount->directory);
    }
}

/* May never return. */
static OsUsage
measure(const char *directory)
{
    struct statvfs status;

    if (statvfs(directory, &status) != 0)
        return (OsUsage){ .is_known = FALSE };
    return (OsUsage){
        .is_known = TRUE,
        .used = (guint64)status.f_frsize * (status.f_blocks - status.f_bfree),
        .total = (guint64)status.f_frsize * (status.f_blocks - status.f_bfree + status.f_bavail),
        .total_privileged = (guint64)status.f_frsize * status.f_blocks,
    };
}

/* With the mutex held, which is let go meanwhile. */
static void
ask(Survey *survey, guint i)
{
    OsUsages *usages = survey->usages;
    OsUsage result = { 0 };

    if (g_hash_table_size(usages->stuck) < STUCK_MAX &&
        !g_hash_table_contains(usages->stuck, survey->keys[i])) {
        survey->states[i] = ASKED;
        g_mutex_unlock(&usages->mutex);
        result = measure(strchr(survey->keys[i], ' ') + 1);
        g_mutex_lock(&usages->mutex);
    }
    if (survey->is_closed) {
        g_hash_table_remove(usages->stuck, survey->keys[i]);
        return;
    }
    survey->results[i] = result;
    survey->states[i] = DONE;
    survey->n_done++;
}

/* On the main thread. */
static void
close_survey(Survey *survey)
{
    OsUsages *usages = survey->usages;

    g_mutex_lock(&usages->mutex);
    survey->is_closed = TRUE;
    for (guint i = 0; i < survey->next; i++)
        if (survey->states[i] == ASKED)
            g_hash_table_add(usages->stuck, g_strdup(survey->keys[i]));
    g_mutex_unlock(&usages->mutex);

    g_source_remove(survey->timer);
    survey->done(survey->results, survey->data);
    survey_unref(survey);
}

static gboolean
on_all_done(gpointer user_data)
{
    Survey *survey = user_data;

    if (!survey->is_closed)
        close_survey(survey);
    return G_SOURCE_REMOVE;
}

/* Of the pool: the first thread of a survey, or one more. */
static void
survey_work(gpointer data, G_GNUC_UNUSED gpointer user_data)
{
    Survey *survey = data;
    GMutex *mutex = &survey->usages->mutex;

    if (!survey->is_prepared)
        prepare(survey);

    g_mutex_lock(mutex);
    gboolean is_last = !survey->is_prepared && survey->n_mounts == 0;
    survey->is_prepared = TRUE;
    while (!survey->is_closed && survey->next < survey->n_mounts) {
        ask(survey, survey->next++);
        is_last = survey->n_done == survey->n_mounts;
    }
    g_mutex_unlock(mutex);
    if (is_last)
        g_idle_add_full(G_PRIORITY_DEFAULT, on_all_done, survey_ref(survey),
                        (GDestroyNotify)survey_unref);
    survey_unref(survey);
}

static void
send_thread(Survey *survey)
{
    g_thread_pool_push(survey->usages->pool, survey_ref(survey), NULL);
}

static gboolean
on_timer(gpointer user_data)
{
    Survey *survey = user_data;
    OsUsages *usages = survey->usages;

    g_mutex_lock(&usages->mutex);
    gboolean is_over = survey->is_prepared && g_get_monotonic_time() >= survey->deadline;
    gboolean is_held_up = survey->is_prepared && survey->next < survey->n_mounts &&
                          survey->n_done == survey->n_done_before;
    survey->n_done_before = survey->n_done;
    g_mutex_unlock(&usages->mutex);

    if (is_over)
        close_survey(survey);
    else if (g_thread_pool_unprocessed(usages->pool) > 0) /* no thread could be made: try again */
        g_thread_pool_set_max_threads(usages->pool, -1, NULL);
    else if (is_held_up)
        send_thread(survey);
    return G_SOURCE_CONTINUE;
}

void
os_usages_ask(OsUsages *usages, OsUsagesPrepare prepare_mounts, OsUsagesDone done, gpointer data)
{
    Survey *survey = g_new0(Survey, 1);

    survey->ref_count = 1;
    survey->usages = usages;
    g_atomic_int_inc(&usages->ref_count);
    survey->prepare = prepare_mounts;
    survey->done = done;
    survey->data = data;
    survey->deadline = g_get_monotonic_time() + OS_USAGES_LIMIT_MS * G_TIME_SPAN_MILLISECOND;
    survey->timer = g_timeout_add(PATIENCE_MS, on_timer, survey);
    send_thread(survey);
}

OsUsages *
os_usages_new(void)
{
    OsUsages *usages = g_new0(OsUsages, 1);

    usages->ref_count = 1;
    g_mutex_init(&usages->mutex);
    usages->stuck = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    usages->pool = g_thread_pool_new(survey_work, NULL, -1, FALSE, NULL);
    return usages;
}

void
os_usages_free(OsUsages *usages)
{
    g_thread_pool_free(usages->pool, FALSE, FALSE);
    usages_unref(usages);
}
