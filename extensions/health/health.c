/* SPDX-License-Identifier: GPL-2.0-or-later */
/* novacron-health: two questions to the service manager, then two files of the kernel. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/agent.h"
#include "core/area.h"
#include "core/call.h"
#include "extensions/health/read-only.h"
#include "extensions/health/systemctl.h"
#include "gen/health-commands.h"

/* A system with more is not described by names. */
#define NAMES_MAX 64

typedef struct {
    GaCall *call;
    NovacronHealth *health;
} Question;

void
ga_probe_health(G_GNUC_UNUSED GaAgent *agent, GaAreaReport *report)
{
    if (g_file_test("/run/systemd/system", G_FILE_TEST_IS_DIR))
        report->provider = g_strdup("systemd");
}

static guint64
uptime_ms(void)
{
    struct timespec time;

    clock_gettime(CLOCK_BOOTTIME, &time);
    return (guint64)time.tv_sec * 1000 + (guint64)time.tv_nsec / 1000000;
}

static void
look_at_mounts(NovacronHealth *health)
{
    g_autofree char *text = NULL;

    if (!g_file_get_contents("/proc/self/mountinfo", &text, NULL, NULL))
        text = g_strdup("");
    health->read_only_file_systems = read_only_find(text, NAMES_MAX, &health->root_read_only);
}

static void
answer(Question *question)
{
    look_at_mounts(question->health);
    question->health->uptime_ms = uptime_ms();
    novacron_health_return(question->call, question->health);
    novacron_health_free(question->health);
    g_free(question);
}

/* NAME LOADED ACTIVE SUB DESCRIPTION, a unit a line. */
static void
on_units(const char *output, gpointer user_data)
{
    Question *question = user_data;
    g_auto(GStrv) lines = g_strsplit(output ? output : "", "\n", -1);
    GPtrArray *units = question->health->failed_units;

    for (gsize i = 0; lines[i] && units->len < NAMES_MAX; i++) {
        gsize length = strcspn(lines[i], " ");
        if (length > 0)
            g_ptr_array_add(units, g_strndup(lines[i], length));
    }
    answer(question);
}

/* The value of NAME=VALUE in a text of such lines; NULL: not there. */
static char *
value_of(const char *text, const char *name)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (gsize i = 0; lines[i]; i++)
        if (g_str_has_prefix(lines[i], name) && lines[i][strlen(name)] == '=')
            return g_strdup(lines[i] + strlen(name) + 1);
    return NULL;
}

static void
on_state(const char *output, gpointer user_data)
{
    static const char *const failed[] = { "list-units",  "--state=failed", "--plain",
                                          "--no-legend", "--no-pager",     NULL };
    Question *question = user_data;
    NovacronHealth *health = question->health;
    g_autofree char *count = output ? value_of(output, "NFailedUnits") : NULL;

    health->boot = output ? value_of(output, "SystemState") : NULL;
    health->has_booted = health->boot != NULL;
    health->booted = health->boot && (strcmp(health->boot, "running") == 0 ||
                                      strcmp(health->boot, "degraded") == 0);
    health->has_failed_units_count = count != NULL;
    health->failed_units_count = count ? (guint32)strtoul(count, NULL, 10) : 0;
    if (health->failed_units_count > 0)
        systemctl_run(failed, on_units, question);
    else
        answer(question);
}

void
novacron_health(GaCall *call)
{
    static const char *const state[] = { "show", "--property=SystemState,NFailedUnits", NULL };
    Question *question = g_new0(Question, 1);

    question->call = call;
    question->health = g_new0(NovacronHealth, 1);
    question->health->failed_units = g_ptr_array_new();
    question->health->safe_mode = ga_gate_is_safe(ga_agent_gate(ga_call_agent(call)));
    systemctl_run(state, on_state, question);
}
