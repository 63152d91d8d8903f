/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commands/freeze-report.h"

#include <string.h>

/* Behind the rest of the line. */
#define HELD " held"

void
ga_freeze_report_clear(GaFreezeReport *report)
{
    g_free(report->id);
    g_free(report->thaw_hook_error);
    g_free(report->hold_error);
    if (report->file_systems)
        g_ptr_array_unref(report->file_systems);
    ga_freeze_report_init(report);
}

void
ga_freeze_report_init(GaFreezeReport *report)
{
    *report = (GaFreezeReport){ .is_over = TRUE,
                                .count = -1,
                                .thawed = -1,
                                .freeze_hook = -1,
                                .freeze = -1,
                                .thaw = -1,
                                .thaw_hook = -1 };
}

void
ga_freeze_report_begin(GaFreezeReport *report, const char *id)
{
    ga_freeze_report_clear(report);
    report->is_over = FALSE;
    report->id = g_strdup(id);
}

void
ga_freeze_report_end(GaFreezeReport *report, const char *command, gboolean is_expired)
{
    gint64 now = g_get_monotonic_time();

    if (report->is_over)
        return;
    report->is_over = TRUE;
    report->ended_by = command;
    report->is_expired = is_expired;
    report->ended = is_expired && report->deadline ? MIN(now, report->deadline) : now;
}

char *
ga_freeze_report_describe(const GaFreezeReport *report)
{
    if (!report->id)
        return NULL;
    return g_strdup_printf("%s %" G_GINT64_FORMAT "%s\n", report->id, report->begun,
                           report->is_held ? HELD : "");
}

void
ga_freeze_report_recall(GaFreezeReport *report, const char *line)
{
    g_auto(GStrv) words = line ? g_strsplit(line, " ", 2) : NULL;

    ga_freeze_report_begin(report, NULL);
    if (!words || !words[0] || !words[1])
        return;
    report->id = g_strdup(words[0]);
    report->begun = g_ascii_strtoll(words[1], NULL, 10);
    if (strstr(words[1], HELD))
        report->hold_error = g_strdup("the agent that held the applications has ended");
}
