/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a path alone tells. The suite `machines` has whole machines. */
#include "linux/disk-address.h"

#include "runner.h"

/* "BUS-TYPE BUS TARGET UNIT", then the numbers of a CCW address; "none". */
static char *
summary(const char *path)
{
    g_autoptr(OsUdev) udev = os_udev_new();
    g_autoptr(GuestDiskAddress) address = os_disk_address(udev, path);

    if (!address)
        return g_strdup("none");
    ck_assert_int_eq(address->pci_controller->domain, -1);
    ck_assert_int_eq(address->pci_controller->bus, -1);
    ck_assert_int_eq(address->pci_controller->slot, -1);
    ck_assert_int_eq(address->pci_controller->function, -1);

    GString *text = g_string_new(NULL);
    g_string_printf(text, "%s %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT,
                    guest_disk_bus_type_type.values[address->bus_type], address->bus,
                    address->target, address->unit);
    const GuestCCWAddress *ccw = address->ccw_address;
    if (ccw)
        g_string_append_printf(text,
                               ", %" G_GINT64_FORMAT ".%" G_GINT64_FORMAT ".%" G_GINT64_FORMAT
                               " %" G_GINT64_FORMAT,
                               ccw->cssid, ccw->ssid, ccw->subchno, ccw->devno);
    return g_string_free(text, FALSE);
}

START_TEST(a_path_tells_where_the_disk_is)
{
    static const struct {
        const char *path, *address;
    } cases[] = {
        { "platform/a.virtio_mmio/virtio1/block/vda", "virtio 0 0 0" },
        { "platform/a.virtio_mmio/virtio1/host0/target0:2:3/0:2:3:4/block/sda", "scsi 2 3 4" },
        { "platform/a.virtio_mmio/virtio1/host0/target0:2:3/x/block/sda", "virtio 0 0 0" },
        { "platform/a.virtio_mmio/virtio1/vda", "none" },
        { "css1/1.2.000a/1.2.abcd/virtio1/block/vda", "virtio 0 0 0, 1.2.10 43981" },
        { "css0/0.0.0003/0.0.1234/virtio1/host0/target0:2:3/0:2:3:4/block/sda",
          "scsi 2 3 4, 0.0.3 4660" },
        { "css0/0.0.0003/0.0.1234/block/dasda", "unknown 0 0 0, 0.0.3 4660" },
        { "css0/0.0.zz/0.0.1234/virtio1/block/vda", "none" },
        { "pci0000:00/0000:00:7f.0/virtio1/block/no-such-disk", "none" },
        { "pci/virtio1/block/no-such-disk", "none" },
        { "vbd-51712/block/no-such-disk", "none" },
        { "", "none" },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strconcat("/sys/devices/", cases[i].path, NULL);
        g_autofree char *found = summary(path);
        ck_assert_msg(g_str_equal(found, cases[i].address), "%s: %s", path, found);
    }
}
END_TEST

START_TEST(virtual_devices_have_no_disk_of_their_own)
{
    g_autoptr(GPtrArray) addresses = g_ptr_array_new();
    const char *path = "/sys/devices/virtual/block/no-such-disk";

    ck_assert(os_disk_is_virtual(path));
    ck_assert(!os_disk_is_virtual("/sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1"));
    ck_assert(os_disk_prepend_addresses(NULL, path, addresses, NULL));
    ck_assert_uint_eq(addresses->len, 0);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("disk-address");
    TCase *tcase = tcase_create("disk-address");

    tcase_add_test(tcase, a_path_tells_where_the_disk_is);
    tcase_add_test(tcase, virtual_devices_have_no_disk_of_their_own);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
