/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest-get-disks: the disks of /sys/block with their partitions. Each is told
 * before those that the folders list earlier, as clients know it.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/work.h"
#include "gen/guest-agent-commands.h"
#include "linux/disk-address.h"
#include "linux/smart.h"
#include "linux/udev.h"
#include "runtime/qapi-error.h"

#define BLOCK_FOLDER "/sys/block"

/* An entry that is a drive without a medium, or not a disk at all. */
static gboolean
is_empty(const char *path)
{
    g_autofree char *file = g_build_filename(path, "size", NULL);
    g_autofree char *size = NULL;

    return !g_file_get_contents(file, &size, NULL, NULL) || strcmp(size, "0\n") == 0;
}

/* The nodes of the devices that this one is made of; NULL if the kernel does not tell. */
static GPtrArray *
dependencies_of(OsUdev *udev, const char *path)
{
    g_autofree char *folder = g_build_filename(path, "slaves", NULL);
    g_autoptr(GDir) directory = g_dir_open(folder, 0, NULL);
    const char *name;

    if (!directory)
        return NULL;
    GPtrArray *nodes = g_ptr_array_new();
    while ((name = g_dir_read_name(directory))) {
        g_autofree char *slave = g_build_filename(folder, name, NULL);
        g_auto(OsDevice) device;
        os_udev_describe(udev, slave, &device);
        if (device.node)
            g_ptr_array_insert(nodes, 0, g_steal_pointer(&device.node));
    }
    return nodes;
}

/* NULL if it has no node. */
static GuestDiskInfo *
describe_disk(OsUdev *udev, const char *link, const char *path)
{
    g_auto(OsDevice) device;

    os_udev_describe(udev, path, &device);
    if (!device.node)
        return NULL;

    GuestDiskInfo *disk = g_new0(GuestDiskInfo, 1);
    disk->name = g_steal_pointer(&device.node);
    disk->alias = g_steal_pointer(&device.alias);
    disk->dependencies = dependencies_of(udev, link);
    if (!os_disk_is_virtual(path))
        disk->address = os_disk_address(udev, path);
    if (disk->address && disk->address->bus_type == GUEST_DISK_BUS_TYPE_NVME)
        disk->smart = os_smart_ask_nvme(disk->name);
    return disk;
}

/* The folder of a partition: DISK1, or DISKp1 where the disk's name ends with a digit. */
static gboolean
is_partition_of(const struct dirent *entry, const char *disk)
{
    if (entry->d_type != DT_DIR || !g_str_has_prefix(entry->d_name, disk))
        return FALSE;

    const char *rest = entry->d_name + strlen(disk);
    return g_ascii_isdigit(rest[*rest == 'p' ? 1 : 0]);
}

static void
prepend_partitions(OsUdev *udev, const char *path, const char *name, const char *disk_node,
                   GPtrArray *disks)
{
    DIR *directory = opendir(path);
    const struct dirent *entry;

    while (directory && (entry = readdir(directory))) {
        if (!is_partition_of(entry, name))
            continue;

        g_autofree char *folder = g_build_filename(path, entry->d_name, NULL);
        g_auto(OsDevice) device;
        os_udev_describe(udev, folder, &device);
        if (!device.node)
            continue;

        GuestDiskInfo *partition = g_new0(GuestDiskInfo, 1);
        partition->name = g_steal_pointer(&device.node);
        partition->partition = TRUE;
        partition->dependencies = g_ptr_array_new();
        g_ptr_array_add(partition->dependencies, g_strdup(disk_node));
        g_ptr_array_insert(disks, 0, partition);
    }
    if (directory)
        closedir(directory);
}

static void
prepend_disk(OsUdev *udev, const char *name, GPtrArray *disks)
{
    g_autofree char *link = g_build_filename(BLOCK_FOLDER, name, NULL);
    if (is_empty(link))
        return;

    g_autofree char *path = realpath(link, NULL);
    GuestDiskInfo *disk = path ? describe_disk(udev, link, path) : NULL;
    if (!disk)
        return;
    g_ptr_array_insert(disks, 0, disk);
    prepend_partitions(udev, link, name, disk->name, disks);
}

static gpointer
collect(G_GNUC_UNUSED gpointer data, GError **error)
{
    g_autoptr(OsUdev) udev = os_udev_new();
    DIR *directory = opendir(BLOCK_FOLDER);
    const struct dirent *entry;

    if (!directory) {
        qapi_set_errno(error, errno, "Can't open directory \"%s\"", BLOCK_FOLDER);
        return NULL;
    }

    GPtrArray *disks = g_ptr_array_new();
    while ((entry = readdir(directory)))
        if (entry->d_type == DT_LNK)
            prepend_disk(udev, entry->d_name, disks);
    closedir(directory);
    return disks;
}

void
guest_get_disks(GaCall *call)
{
    ga_work_run(call, collect, NULL, NULL);
}
