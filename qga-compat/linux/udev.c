/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device manager through libudev: the node is the kernel's word, the
 * properties come from the manager's database, where there is one.
 */
#include "linux/udev.h"

#include <libudev.h>

/* An empty text is none. */
static char *
property(struct udev_device *device, const char *name)
{
    const char *value = udev_device_get_property_value(device, name);

    return value && *value ? g_strdup(value) : NULL;
}

/* NULL without memory, which libudev's functions take for a context that knows nothing. */
OsUdev *
os_udev_new(void)
{
    return (OsUdev *)udev_new();
}

void
os_udev_free(OsUdev *udev)
{
    udev_unref((struct udev *)udev);
}

void
os_udev_describe(OsUdev *udev, const char *path, OsDevice *ret_device)
{
    struct udev_device *device = udev_device_new_from_syspath((struct udev *)udev, path);

    *ret_device = (OsDevice){ 0 };
    if (!device)
        return;
    ret_device->node = g_strdup(udev_device_get_devnode(device));
    ret_device->serial = property(device, "ID_SERIAL");
    ret_device->alias = property(device, "DM_NAME");
    udev_device_unref(device);
}

void
os_device_clear(OsDevice *device)
{
    g_free(device->node);
    g_free(device->serial);
    g_free(device->alias);
    *device = (OsDevice){ 0 };
}
