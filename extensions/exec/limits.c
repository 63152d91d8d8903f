/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Limits by control groups of the unified hierarchy, below a group of our own at its top: the
 * group that a service manager has put the agent in has processes and so cannot have
 * limited groups below it.
 */
#include "extensions/exec/limits.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

#include "core/refusal.h"

#define TOP "/sys/fs/cgroup"
#define OURS TOP "/novacron"

/* The period that the processor's share is measured over, in microseconds: the kernel's default. */
#define CPU_PERIOD 100000

/* In memory.events. */
#define OOM_KILLS "oom_kill "

/* What the kernel says at the end of writing. */
static gboolean
write_text(const char *folder, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    FILE *file = fopen(path, "we");

    if (!file)
        return FALSE;
    fputs(text, file);
    return fclose(file) == 0;
}

static gboolean
has_hierarchy(void)
{
    return g_file_test(TOP "/cgroup.controllers", G_FILE_TEST_EXISTS);
}

/* Each alone: one that the kernel lacks must not keep the others away. */
static void
pass_controllers(const char *folder)
{
    static const char *const controllers[] = { "+cpu", "+memory", "+pids" };

    for (gsize i = 0; i < G_N_ELEMENTS(controllers); i++)
        if (!write_text(folder, "cgroup.subtree_control", controllers[i]))
            g_debug("%s: %s: %s", folder, controllers[i], g_strerror(errno));
}

static gboolean
set_limits(const NovacronExecLimits *limits, const char *folder)
{
    g_autofree char *memory = g_strdup_printf("%" G_GUINT64_FORMAT, limits->memory_bytes);
    g_autofree char *processes = g_strdup_printf("%u", limits->processes);
    g_autofree char *cpu = g_strdup_printf(
        "%" G_GUINT64_FORMAT " %d", (guint64)limits->cpu_percent * (CPU_PERIOD / 100), CPU_PERIOD);

    return (!limits->has_memory_bytes || write_text(folder, "memory.max", memory)) &&
           (!limits->has_processes || write_text(folder, "pids.max", processes)) &&
           (!limits->has_cpu_percent || write_text(folder, "cpu.max", cpu));
}

char *
exec_limits_make(const NovacronExecLimits *limits, const char *id, GError **error)
{
    g_autofree char *folder = g_build_filename(OURS, id, NULL);

    if (!has_hierarchy()) {
        ga_refuse(error, GA_REFUSAL_UNSUPPORTED, "no unified hierarchy of control groups in " TOP);
        return NULL;
    }
    pass_controllers(TOP);
    if (g_mkdir(OURS, 0755) == 0 || errno == EEXIST)
        pass_controllers(OURS);
    if (g_mkdir(folder, 0755) == 0 && set_limits(limits, folder))
        return g_steal_pointer(&folder);
    ga_refuse(error, GA_REFUSAL_UNSUPPORTED, "the limits cannot be set in %s: %s", folder,
              g_strerror(errno));
    exec_limits_remove(folder);
    return NULL;
}

char *
exec_limits_file(const char *folder)
{
    return folder ? g_build_filename(folder, "cgroup.procs", NULL) : NULL;
}

gboolean
exec_limits_were_out_of_memory(const char *folder)
{
    g_autofree char *path = folder ? g_build_filename(folder, "memory.events", NULL) : NULL;
    g_autofree char *text = NULL;

    if (!path || !g_file_get_contents(path, &text, NULL, NULL))
        return FALSE;
    const char *count = strstr(text, OOM_KILLS);
    return count && g_ascii_strtoull(count + strlen(OOM_KILLS), NULL, 10) > 0;
}

void
exec_limits_kill(const char *folder)
{
    if (folder && !write_text(folder, "cgroup.kill", "1"))
        g_debug("%s/cgroup.kill: %s", folder, g_strerror(errno));
}

/* The kernel removes no group that has processes or groups: ours goes with the last one. */
void
exec_limits_remove(const char *folder)
{
    if (folder && g_rmdir(folder) == 0)
        g_rmdir(OURS);
}

void
exec_limits_sweep(void)
{
    g_autoptr(GDir) groups = g_dir_open(OURS, 0, NULL);
    const char *name;

    while (groups && (name = g_dir_read_name(groups))) {
        g_autofree char *folder = g_build_filename(OURS, name, NULL);
        exec_limits_remove(folder);
    }
}
