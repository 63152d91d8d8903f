/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest-get-fsinfo: what is mounted, from which disks, and how full it is. The
 * kernel tells the first two without touching a file system, so only the sizes of
 * one that hangs are missing.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/agent.h"
#include "core/call.h"
#include "gen/guest-agent-commands.h"
#include "linux/disk-address.h"
#include "linux/mounts.h"
#include "linux/udev.h"
#include "linux/usage.h"
#include "runtime/qapi-error.h"

typedef struct {
    GaCall *call;
    OsMounts *mounts;
    GPtrArray *infos; /* of the mounts, the last first */
    GError *error;
} Query;

static gpointer
usages_open(G_GNUC_UNUSED GaAgent *agent)
{
    return os_usages_new();
}

static void
usages_close(gpointer state)
{
    os_usages_free(state);
}

static const GaSlot usages_slot = { "usages", usages_open, usages_close };

/* A device that the kernel no longer has is told by its numbers, and without disks. */
static gboolean
describe_device(OsUdev *udev, const OsMount *mount, GuestFilesystemInfo *info, GError **error)
{
    g_autofree char *numbers = g_strdup_printf("%u:%u", mount->major, mount->minor);
    g_autofree char *link = g_build_filename("/sys/dev/block", numbers, NULL);
    g_autofree char *path = realpath(link, NULL);

    if (path) {
        info->name = g_path_get_basename(path);
        return os_disk_prepend_addresses(udev, path, info->disk, error);
    }
    if (errno == ENOENT) {
        info->name = g_steal_pointer(&numbers);
        return TRUE;
    }
    qapi_set_errno(error, errno, "realpath(\"%s\")", link);
    return FALSE;
}

static GuestFilesystemInfo *
describe(OsUdev *udev, const OsMount *mount, GError **error)
{
    g_autoptr(GuestFilesystemInfo) info = g_new0(GuestFilesystemInfo, 1);

    info->mountpoint = g_strdup(mount->directory);
    info->type = g_strdup(mount->type);
    info->disk = g_ptr_array_new();
    if (!describe_device(udev, mount, info, error))
        return NULL;
    return g_steal_pointer(&info);
}

/* On a thread. NULL on error. */
static const OsMounts *
collect(gpointer data)
{
    Query *query = data;

    query->mounts = os_mounts_read(&query->error);
    if (!query->mounts)
        return NULL;

    g_autoptr(OsUdev) udev = os_udev_new();
    const GPtrArray *mounts = query->mounts->list;
    query->infos = g_ptr_array_new_with_free_func((GDestroyNotify)guest_filesystem_info_free);
    g_ptr_array_set_size(query->infos, (gint)mounts->len);
    for (guint i = 0; i < mounts->len && !query->error; i++)
        query->infos->pdata[mounts->len - 1 - i] = describe(udev, mounts->pdata[i], &query->error);
    return query->error ? NULL : query->mounts;
}

static void
set_usage(GuestFilesystemInfo *info, const OsUsage *usage)
{
    info->has_used_bytes = info->has_total_bytes = usage->is_known;
    info->has_total_bytes_privileged = usage->is_known;
    info->used_bytes = usage->used;
    info->total_bytes = usage->total;
    info->total_bytes_privileged = usage->total_privileged;
}

static void
collected(const OsUsage *usages, gpointer data)
{
    Query *query = data;

    if (query->mounts)
        os_mounts_account(query->mounts, ga_agent_account(ga_call_agent(query->call)),
                          "guest-get-fsinfo");
    if (query->error) {
        ga_call_fail(query->call, query->error);
    } else {
        for (guint i = query->infos->len; i-- > 0;)
            set_usage(query->infos->pdata[i], usages++);
        guest_get_fsinfo_return(query->call, query->infos);
    }

    os_mounts_free(query->mounts);
    if (query->infos)
        g_ptr_array_unref(query->infos);
    g_free(query);
}

void
guest_get_fsinfo(GaCall *call)
{
    Query *query = g_new0(Query, 1);

    query->call = call;
    os_usages_ask(ga_agent_slot(ga_call_agent(call), &usages_slot), collect, collected, query);
}
