/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest-get-cpustats from /proc/stat (proc(5)). The kernel adds up counters of all
 * interrupts and processors for it, which takes milliseconds on large machines:
 * so a thread reads it.
 */
#include "linux/cpustats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/account.h"
#include "core/agent.h"
#include "core/task.h"
#include "gen/guest-agent-commands.h"
#include "linux/lines.h"
#include "runtime/qapi-error.h"

#define FILE_NAME "/proc/stat"
#define COLUMNS 10
#define COLUMNS_MIN 4

typedef struct {
    GaCall *call;
    GPtrArray *stats;
    gboolean is_odd; /* a line could not be read */
    GError *error;
} Query;

static guint64
milliseconds(guint64 ticks)
{
    return ticks * 1000 / (guint64)sysconf(_SC_CLK_TCK);
}

static void
fill(GuestLinuxCpuStats *stats, const guint64 *columns, guint n_columns)
{
    stats->user = milliseconds(columns[0]);
    stats->nice = milliseconds(columns[1]);
    stats->system = milliseconds(columns[2]);
    stats->idle = milliseconds(columns[3]);
    stats->has_iowait = n_columns > 4;
    stats->iowait = milliseconds(columns[4]);
    /* Both came with the same kernel. */
    stats->has_irq = stats->has_softirq = n_columns > 5;
    stats->irq = milliseconds(columns[5]);
    stats->softirq = milliseconds(columns[6]);
    stats->has_steal = n_columns > 7;
    stats->steal = milliseconds(columns[7]);
    stats->has_guest = n_columns > 8;
    stats->guest = milliseconds(columns[8]);
    stats->has_guestnice = n_columns > 9;
    stats->guestnice = milliseconds(columns[9]);
}

gboolean
os_cpustats_add(GPtrArray *list, const char *line)
{
    guint64 columns[COLUMNS] = { 0 };
    g_autofree char *name = os_column_word(&line, G_MAXSIZE);

    /* "cpu" alone is the sum of all. */
    if (!name || !g_str_has_prefix(name, "cpu") || strlen(name) == strlen("cpu"))
        return TRUE;

    guint n_columns = os_column_numbers(&line, columns, COLUMNS);
    if (n_columns < COLUMNS_MIN)
        return FALSE;

    GuestCpuStats *stats = g_new0(GuestCpuStats, 1);
    stats->type = GUEST_CPU_STATS_TYPE_LINUX;
    stats->u.q_linux.cpu = atoi(name + strlen("cpu"));
    fill(&stats->u.q_linux, columns, n_columns);
    g_ptr_array_add(list, stats);
    return TRUE;
}

static gboolean
add_line(gpointer owner, const char *line)
{
    Query *query = owner;

    query->is_odd = !os_cpustats_add(query->stats, line);
    return !query->is_odd;
}

static void
work(gpointer data)
{
    Query *query = data;

    if (!os_lines_read(FILE_NAME, add_line, query))
        qapi_set_errno(&query->error, errno, "Could not open '%s'", FILE_NAME);
}

static void
done(gpointer data)
{
    Query *query = data;

    if (query->is_odd)
        ga_account(ga_agent_account(ga_call_agent(query->call)), "guest-get-cpustats",
                   "Parsing cpu stat from %s failed, see \"man proc\"", FILE_NAME);
    if (query->error) {
        g_ptr_array_unref(query->stats);
        ga_call_fail(query->call, query->error);
    } else {
        ga_call_return_full(query->call, query->stats);
    }
    g_free(query);
}

void
guest_get_cpustats(GaCall *call)
{
    Query *query = g_new0(Query, 1);

    query->call = call;
    query->stats = g_ptr_array_new();
    ga_task_run(work, done, query);
}
