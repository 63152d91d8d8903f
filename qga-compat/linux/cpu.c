/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest-get-vcpus and guest-set-vcpus through sysfs. While a processor goes on or
 * off line, whoever reads its state waits: so threads do both.
 */
#include "linux/cpu.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/work.h"
#include "gen/guest-agent-commands.h"
#include "runtime/qapi-error.h"

#define FOLDER "/sys/devices/system/cpu"

static char *
cpu_path(const char *folder, gint64 id)
{
    return g_strdup_printf("%s/cpu%" G_GINT64_FORMAT "/", folder, id);
}

/* The file "online" in a processor's folder; -1 if it has none, as it cannot go offline. */
static gboolean
open_online(const char *path, gint flags, gint *ret_fd, GError **error)
{
    gint folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) {
        qapi_set_errno(error, errno, "Could not open '%s'", path);
        return FALSE;
    }

    gint fd = openat(folder, "online", flags | O_CLOEXEC);
    gint number = errno;
    close(folder);
    if (fd < 0 && number != ENOENT) {
        qapi_set_errno(error, number, "could not open %s/online", path);
        return FALSE;
    }
    *ret_fd = fd;
    return TRUE;
}

static gboolean
read_online(gint fd, const char *path, gboolean *ret_online, GError **error)
{
    char state;
    gssize size = pread(fd, &state, sizeof state, 0);

    if (size < 0) {
        qapi_set_errno(error, errno, "pread(\"%s/online\")", path);
        return FALSE;
    }
    if (size == 0) {
        qapi_set_error(error, "pread(\"%s/online\"): unexpected EOF", path);
        return FALSE;
    }
    *ret_online = state != '0';
    return TRUE;
}

static GuestLogicalProcessor *
read_cpu(const char *folder, gint64 id, GError **error)
{
    g_autofree char *path = cpu_path(folder, id);
    gboolean is_online = TRUE;
    gint fd;

    if (!open_online(path, O_RDONLY, &fd, error))
        return NULL;
    if (fd >= 0) {
        gboolean is_read = read_online(fd, path, &is_online, error);

        close(fd);
        if (!is_read)
            return NULL;
    }

    GuestLogicalProcessor *cpu = g_new0(GuestLogicalProcessor, 1);
    cpu->logical_id = id;
    cpu->online = is_online;
    cpu->has_can_offline = TRUE;
    cpu->can_offline = fd >= 0;
    return cpu;
}

/* The entry "cpuN" of the folder: among its neighbours are "cpufreq" and "cpuidle". */
static gboolean
parse_name(const char *name, gint64 *ret_id)
{
    char *end;

    if (!g_str_has_prefix(name, "cpu"))
        return FALSE;
    name += strlen("cpu");
    *ret_id = strtoll(name, &end, 10);
    return end != name;
}

static gboolean
add_cpus(GPtrArray *cpus, DIR *entries, const char *folder, GError **error)
{
    const struct dirent *entry;
    gint64 id;

    while ((entry = readdir(entries))) {
        if (!parse_name(entry->d_name, &id))
            continue;

        GuestLogicalProcessor *cpu = read_cpu(folder, id, error);
        if (!cpu)
            return FALSE;
        g_ptr_array_add(cpus, cpu);
    }
    if (cpus->len == 0) {
        qapi_set_error(error, "Guest reported zero VCPUs"); /* as upstream says on Windows */
        return FALSE;
    }
    return TRUE;
}

GPtrArray *
os_cpus_read(const char *folder, GError **error)
{
    DIR *entries = opendir(folder);
    if (!entries) {
        qapi_set_errno(error, errno, "failed to list entries: %s", folder);
        return NULL;
    }

    g_autoptr(GPtrArray)
        cpus = g_ptr_array_new_with_free_func((GDestroyNotify)guest_logical_processor_free);
    gboolean is_read = add_cpus(cpus, entries, folder, error);
    closedir(entries);
    if (!is_read)
        return NULL;
    g_ptr_array_set_free_func(cpus, NULL);
    return g_steal_pointer(&cpus);
}

static gboolean
write_online(gint fd, const char *path, gboolean online, GError **error)
{
    gboolean is_online;

    if (!read_online(fd, path, &is_online, error))
        return FALSE;
    if (is_online != online && pwrite(fd, online ? "1" : "0", 1, 0) < 0) {
        qapi_set_errno(error, errno, "pwrite(\"%s/online\")", path);
        return FALSE;
    }
    return TRUE;
}

gboolean
os_cpu_set(const char *folder, gint64 id, gboolean online, GError **error)
{
    g_autofree char *path = cpu_path(folder, id);
    gint fd;

    if (!open_online(path, O_RDWR, &fd, error))
        return FALSE;
    if (fd < 0) {
        if (!online)
            qapi_set_error(error, "logical processor #%" G_GINT64_FORMAT " can't be offlined", id);
        return online;
    }

    gboolean is_done = write_online(fd, path, online, error);
    close(fd);
    return is_done;
}

static gpointer
read_work(G_GNUC_UNUSED gpointer data, GError **error)
{
    return os_cpus_read(FOLDER, error);
}

void
guest_get_vcpus(GaCall *call)
{
    ga_work_run(call, read_work, NULL, NULL);
}

typedef struct {
    gint64 id;
    gboolean online;
} Wish;

/* How many were done; an error only if it was none of some. */
static gpointer
set_work(gpointer data, GError **error)
{
    const GArray *wishes = data;
    guint n_done = 0;

    while (n_done < wishes->len) {
        const Wish *wish = &g_array_index(wishes, Wish, n_done);

        if (!os_cpu_set(FOLDER, wish->id, wish->online, n_done == 0 ? error : NULL))
            break;
        n_done++;
    }
    if (n_done == 0 && wishes->len > 0)
        return NULL;

    gint64 *result = g_new(gint64, 1);
    *result = n_done;
    return result;
}

void
guest_set_vcpus(GaCall *call, const GuestSetVcpusArgs *args)
{
    GArray *wishes = g_array_new(FALSE, FALSE, sizeof(Wish));

    for (guint i = 0; i < args->vcpus->len; i++) {
        const GuestLogicalProcessor *cpu = args->vcpus->pdata[i];
        Wish wish = { cpu->logical_id, cpu->online };

        g_array_append_val(wishes, wish);
    }
    ga_work_run(call, set_work, wishes, (GDestroyNotify)g_array_unref);
}
