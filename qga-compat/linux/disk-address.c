/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The address of a disk is read off the path of its device: below a PCI function
 * whose driver is one of the table, below a channel device of an IBM Z machine, or
 * below a virtio device on another bus. The numbers are those that the host's
 * management compares with its own configuration, quirks included.
 */
#include "linux/disk-address.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/qapi-error.h"

#define DEVICES "/sys/devices/"

/* Devices on devices on devices. The kernel's stack would not bear nearly as many. */
#define DEPTH_MAX 32

/* Ports of a controller that are numbered. qemu-ga numbers as many, of those that the folder
 * lists first: the same ones, hence the same numbers. */
#define PORTS_MAX 8

typedef struct {
    guint channel, target, lun;
} ScsiAddress;

gboolean
os_disk_is_virtual(const char *path)
{
    return strstr(path, "/devices/virtual/block/") != NULL;
}

/* .../targetHOST:CHANNEL:TARGET/HOST:CHANNEL:TARGET:LUN/... FALSE if there is no such thing. */
static gboolean
parse_scsi(const char *path, ScsiAddress *ret_address)
{
    const char *place = strstr(path, "/target");
    ScsiAddress address;

    if (!place || sscanf(place, "/target%*u:%*u:%*u/%*u:%u:%u:%u", &address.channel,
                         &address.target, &address.lun) != 3)
        return FALSE;
    *ret_address = address;
    return TRUE;
}

static gint
compare_numbers(gconstpointer a, gconstpointer b)
{
    const guint *one = a, *other = b;

    return *one < *other ? -1 : *one > *other;
}

/* Which of the controller's ports, ataN or (older kernels) hostN, the path goes through, counted
 * in the order of their numbers; -1 if that cannot be told. */
static gint
find_port(const char *path)
{
    const char *kind = "ata", *place = strstr(path, "/ata");
    guint number, port;

    if (!place) {
        kind = "host";
        place = strstr(path, "/host");
    }
    if (!place || sscanf(place + 1 + strlen(kind), "%u", &number) != 1)
        return -1;

    g_autofree char *controller = g_strndup(path, (gsize)(place - path));
    g_autoptr(GArray) ports = g_array_new(FALSE, FALSE, sizeof(guint));
    g_autoptr(GDir) folder = g_dir_open(controller, 0, NULL);
    const char *name;
    while (folder && ports->len < PORTS_MAX && (name = g_dir_read_name(folder)))
        if (g_str_has_prefix(name, kind) && sscanf(name + strlen(kind), "%u", &port) == 1)
            g_array_append_val(ports, port);
    g_array_sort(ports, compare_numbers);

    for (guint i = 0; i < ports->len; i++)
        if (g_array_index(ports, guint, i) == number)
            return (gint)i;
    return -1;
}

static gboolean
locate_ide(const char *path, GuestDiskAddress *address)
{
    ScsiAddress scsi;
    gint port = find_port(path);

    if (port < 0 || !parse_scsi(path, &scsi))
        return FALSE;
    address->bus_type = GUEST_DISK_BUS_TYPE_IDE;
    address->bus = port;
    address->unit = scsi.target;
    return TRUE;
}

static gboolean
locate_sata(const char *path, GuestDiskAddress *address)
{
    ScsiAddress scsi;
    gint port = find_port(path);

    if (port < 0 || !parse_scsi(path, &scsi))
        return FALSE;
    address->bus_type = GUEST_DISK_BUS_TYPE_SATA;
    address->unit = port;
    return TRUE;
}

static gboolean
locate_old_scsi(const char *path, GuestDiskAddress *address)
{
    ScsiAddress scsi;

    if (!parse_scsi(path, &scsi))
        return FALSE;
    address->bus_type = GUEST_DISK_BUS_TYPE_SCSI;
    address->unit = scsi.target;
    return TRUE;
}

/* On PCI only the unit is told, libvirt's domain definition has the rest. */
static gboolean
locate_virtio_pci(const char *path, GuestDiskAddress *address)
{
    ScsiAddress scsi;

    if (!parse_scsi(path, &scsi)) {
        address->bus_type = GUEST_DISK_BUS_TYPE_VIRTIO;
        return TRUE;
    }
    address->bus_type = GUEST_DISK_BUS_TYPE_SCSI;
    address->unit = scsi.lun;
    return TRUE;
}

static gboolean
locate_nvme(G_GNUC_UNUSED const char *path, GuestDiskAddress *address)
{
    address->bus_type = GUEST_DISK_BUS_TYPE_NVME;
    return TRUE;
}

static gboolean
locate_usb(G_GNUC_UNUSED const char *path, GuestDiskAddress *address)
{
    address->bus_type = GUEST_DISK_BUS_TYPE_USB;
    return TRUE;
}

typedef gboolean (*Locate)(const char *path, GuestDiskAddress *address);

static const struct {
    const char *driver;
    Locate locate;
} controllers[] = {
    { "ata_piix", locate_ide },
    { "sym53c8xx", locate_old_scsi },
    { "virtio-pci", locate_virtio_pci },
    { "ahci", locate_sata },
    { "nvme", locate_nvme },
    { "xhci_hcd", locate_usb },
    { "ehci-pci", locate_usb },
};

/* By the driver of the PCI function with this folder. NULL if it is not in the table. */
static Locate
find_controller(const char *function)
{
    g_autofree char *link = g_build_filename(function, "driver", NULL);
    g_autofree char *target = g_file_read_link(link, NULL);
    g_autofree char *driver = target ? g_path_get_basename(target) : NULL;

    for (guint i = 0; driver && i < G_N_ELEMENTS(controllers); i++)
        if (strcmp(driver, controllers[i].driver) == 0)
            return controllers[i].locate;
    return NULL;
}

/* DOMAIN:BUS:SLOT.FUNCTION/ at the start of the text; its length, 0 if it is something else. */
static gsize
parse_function(const char *text, GuestPCIAddress *ret_pci)
{
    guint domain, bus, slot, function;
    gint length = 0;

    if (sscanf(text, "%x:%x:%x.%x/%n", &domain, &bus, &slot, &function, &length) != 4 || !length)
        return 0;
    *ret_pci = (GuestPCIAddress){ domain, bus, slot, function };
    return (gsize)length;
}

/* Below a PCI root: the first function on the way that a known driver serves, such as a disk's
 * controller behind bridges. */
static gboolean
locate_pci(const char *path, GuestDiskAddress *address)
{
    GuestPCIAddress pci;
    gint root_length = 0;
    gsize length;

    if (sscanf(path, DEVICES "pci%*x:%*x/%n", &root_length) != 0 || !root_length)
        return FALSE;
    for (const char *place = path + root_length; (length = parse_function(place, &pci));
         place += length) {
        g_autofree char *function = g_strndup(path, (gsize)(place - path) + length);
        Locate locate = find_controller(function);
        if (locate) {
            *address->pci_controller = pci;
            return locate(path, address);
        }
    }
    return FALSE;
}

static gboolean
locate_virtio(const char *path, GuestDiskAddress *address)
{
    const char *device = strstr(path, "/virtio");
    ScsiAddress scsi;

    if (!device || !strstr(device, "/block"))
        return FALSE;
    if (!parse_scsi(path, &scsi)) {
        address->bus_type = GUEST_DISK_BUS_TYPE_VIRTIO;
        return TRUE;
    }
    address->bus_type = GUEST_DISK_BUS_TYPE_SCSI;
    address->bus = scsi.channel;
    address->target = scsi.target;
    address->unit = scsi.lun;
    return TRUE;
}

/* cssX/CSSID.SSID.SUBCHANNEL/X.X.DEVICE/... */
static gboolean
locate_ccw(const char *path, GuestDiskAddress *address)
{
    guint cssid, ssid, subchannel, device;
    gint length = 0;

    if (sscanf(path, DEVICES "css%*x/%x.%x.%x/%*x.%*x.%x/%n", &cssid, &ssid, &subchannel, &device,
               &length) != 4 ||
        !length)
        return FALSE;
    address->ccw_address = g_new(GuestCCWAddress, 1);
    *address->ccw_address = (GuestCCWAddress){ cssid, ssid, subchannel, device };
    locate_virtio(path + length - 1, address);
    return TRUE;
}

/* The hardware was recognised. */
static gboolean
locate(const char *path, GuestDiskAddress *address)
{
    if (g_str_has_prefix(path, DEVICES "pci"))
        return locate_pci(path, address);
    if (g_str_has_prefix(path, DEVICES "css"))
        return locate_ccw(path, address);
    return locate_virtio(path, address);
}

GuestDiskAddress *
os_disk_address(OsUdev *udev, const char *path)
{
    g_autoptr(GuestDiskAddress) address = g_new0(GuestDiskAddress, 1);
    g_auto(OsDevice) device;

    address->bus_type = GUEST_DISK_BUS_TYPE_UNKNOWN;
    address->pci_controller = g_new(GuestPCIAddress, 1);
    *address->pci_controller = (GuestPCIAddress){ -1, -1, -1, -1 };
    os_udev_describe(udev, path, &device);
    address->dev = g_steal_pointer(&device.node);
    address->serial = g_steal_pointer(&device.serial);
    if (!locate(path, address) && !address->dev && !address->serial)
        return NULL;
    return g_steal_pointer(&address);
}

static gboolean prepend(OsUdev *udev, const char *path, guint depth, GPtrArray *addresses,
                        GError **error);

/* What a link to a member device leads to; one that leads nowhere (a member that went away just
 * now) is nothing. */
static gboolean
prepend_slave(OsUdev *udev, const char *link, guint depth, GPtrArray *addresses, GError **error)
{
    g_autofree char *path = realpath(link, NULL);

    if (path)
        return prepend(udev, path, depth, addresses, error);
    if (errno == ENOENT)
        return TRUE;
    qapi_set_errno(error, errno, "realpath(\"%s\")", link);
    return FALSE;
}

static gboolean
prepend_slaves(OsUdev *udev, const char *path, guint depth, GPtrArray *addresses, GError **error)
{
    g_autofree char *folder = g_build_filename(path, "slaves", NULL);
    DIR *directory = opendir(folder);
    const struct dirent *entry;
    gboolean is_fine = TRUE;

    if (!directory) {
        if (errno == ENOENT)
            return TRUE;
        qapi_set_errno(error, errno, "opendir(\"%s\")", folder);
        return FALSE;
    }
    while (is_fine && (errno = 0, entry = readdir(directory))) {
        if (entry->d_type != DT_LNK)
            continue;
        g_autofree char *link = g_build_filename(folder, entry->d_name, NULL);
        is_fine = prepend_slave(udev, link, depth, addresses, error);
    }
    if (is_fine && errno) {
        qapi_set_errno(error, errno, "readdir(\"%s\")", folder);
        is_fine = FALSE;
    }
    closedir(directory);
    return is_fine;
}

static gboolean
prepend(OsUdev *udev, const char *path, guint depth, GPtrArray *addresses, GError **error)
{
    if (os_disk_is_virtual(path))
        return depth == DEPTH_MAX || prepend_slaves(udev, path, depth + 1, addresses, error);

    GuestDiskAddress *address = os_disk_address(udev, path);
    if (address)
        g_ptr_array_insert(addresses, 0, address);
    return TRUE;
}

gboolean
os_disk_prepend_addresses(OsUdev *udev, const char *path, GPtrArray *addresses, GError **error)
{
    return prepend(udev, path, 0, addresses, error);
}
