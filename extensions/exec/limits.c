/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Limits by control groups of the unified hierarchy, below a group of our own at its top: the
 * group that a service manager has put the agent in has processes and so cannot have
 * limited groups below it.
 */
#include "extensions/exec/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "core/refusal.h"

#define TOP "/sys/fs/cgroup"
#define OURS TOP "/novacron"

/* The period that the processor's share is measured over, in microseconds: the kernel's default. */
#define CPU_PERIOD 100000

/* In memory.events and cgroup.events. */
#define OOM_KILLS "oom_kill "
#define POPULATED "populated 1"

/* Those who were killed are listed until they are gone, for which nobody waits. */
#define KILL_ROUNDS 16

/* FALSE and errno. */
static gboolean
write_text(const char *folder, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    gint fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return FALSE;
    gboolean is_written = write(fd, text, strlen(text)) >= 0;
    gint number = errno;
    close(fd);
    errno = number;
    return is_written;
}

/* NULL: it cannot be read. */
static char *
read_text(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) ? text : NULL;
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
    g_autofree char *text = folder ? read_text(folder, "memory.events") : NULL;
    const char *count = text ? strstr(text, OOM_KILLS) : NULL;

    return count && g_ascii_strtoull(count + strlen(OOM_KILLS), NULL, 10) > 0;
}

gboolean
exec_limits_hold_somebody(const char *folder)
{
    g_autofree char *text = folder ? read_text(folder, "cgroup.events") : NULL;

    return text && strstr(text, POPULATED);
}

/* FALSE: there is nobody. Those of another process namespace are listed as 0, which would be our
 * own process group. */
static gboolean
kill_listed(const char *folder)
{
    g_autofree char *text = read_text(folder, "cgroup.procs");
    g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);
    gboolean is_somebody = FALSE;

    for (guint i = 0; lines[i]; i++) {
        gint64 pid = g_ascii_strtoll(lines[i], NULL, 10);

        if (pid > 0 && kill((pid_t)pid, SIGKILL) == 0)
            is_somebody = TRUE;
    }
    return is_somebody;
}

/* Before Linux 5.14 one by one: nobody can fork any more, and who was just born is there in the
 * next round. */
void
exec_limits_kill(const char *folder)
{
    if (!folder || write_text(folder, "cgroup.kill", "1"))
        return;
    if (!write_text(folder, "pids.max", "0"))
        g_debug("%s: pids.max: %s", folder, g_strerror(errno));
    for (guint i = 0; i < KILL_ROUNDS && kill_listed(folder); i++)
        ;
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
