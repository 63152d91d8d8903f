/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In a build without libudev no device is known. */
#include "linux/udev.h"

OsUdev *
os_udev_new(void)
{
    return NULL;
}

void
os_udev_free(G_GNUC_UNUSED OsUdev *udev)
{
}

void
os_udev_describe(G_GNUC_UNUSED OsUdev *udev, G_GNUC_UNUSED const char *path, OsDevice *ret_device)
{
    *ret_device = (OsDevice){ 0 };
}

void
os_device_clear(G_GNUC_UNUSED OsDevice *device)
{
}
