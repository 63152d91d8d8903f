/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the device manager knows of a device. A context serves one thread. */
#pragma once

#include <glib.h>

typedef struct OsUdev OsUdev;

/* NULL members are not known. */
typedef struct {
    char *node;   /* in /dev */
    char *serial; /* these two only where the device manager runs in the guest */
    char *alias;  /* of a device-mapper device: the name of the mapping */
} OsDevice;

OsUdev *os_udev_new(void);
void os_udev_free(OsUdev *udev);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OsUdev, os_udev_free)

/* Of the device with this folder (or a link to it) below /sys. */
void os_udev_describe(OsUdev *udev, const char *path, OsDevice *ret_device);

void os_device_clear(OsDevice *device);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(OsDevice, os_device_clear)
