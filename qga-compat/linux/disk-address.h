/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where disks are found in the machine. A path here is the canonical folder of a block device,
 * as in /sys/devices/pci0000:00/0000:00:02.0/virtio1/block/vda.
 */
#pragma once

#include "gen/guest-agent.h"
#include "linux/udev.h"

/* A device that is not hardware of its own: loop, device mapper, RAID, RAM. */
gboolean os_disk_is_virtual(const char *path);

/* NULL if nothing is known of it. */
GuestDiskAddress *os_disk_address(OsUdev *udev, const char *path);

/* Insert the addresses of all disks that the device is made of, itself if it is real: each before
 * those that were found earlier, as clients know it. */
gboolean os_disk_prepend_addresses(OsUdev *udev, const char *path, GPtrArray *addresses,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;
