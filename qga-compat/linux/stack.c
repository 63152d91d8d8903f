/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stacks of devices, downwards from a mount: a partition stands on its disk, dm and
 * md on their slaves, a loop device on a file or on a device. Only the last step needs
 * more than sysfs, whose path of the file says nothing where that is not visible; the
 * driver knows the file's device.
 */
#include "linux/stack.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Deeper stacks exist in no useful system, and sysfs has no cycles; still, no recursion without
 * an end. */
#define DEPTH_MAX 16

typedef struct {
    const OsMounts *mounts;
    const char *sysfs;
    GArray *on_top;
    GArray *files; /* dev_t of the file systems that hold the loop files below one mount */
} Search;

/* The first line of a file of sysfs, or NULL. */
static char *
read_line(const char *directory, const char *name)
{
    g_autofree char *path = g_build_filename(directory, name, NULL);
    char *text;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return NULL;
    text[strcspn(text, "\n")] = '\0';
    return text;
}

static gboolean
read_device(const char *directory, dev_t *ret_device)
{
    g_autofree char *text = read_line(directory, "dev");
    guint major_number, minor_number;

    if (!text || sscanf(text, "%u:%u", &major_number, &minor_number) != 2)
        return FALSE;
    *ret_device = makedev(major_number, minor_number);
    return TRUE;
}

/* The node of a device by the name that the kernel gives it. */
static gint
open_node(const char *directory)
{
    g_autofree char *path = g_build_filename(directory, "uevent", NULL);
    g_autofree char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return -1;

    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++)
        if (g_str_has_prefix(*line, "DEVNAME=")) {
            g_autofree char *node = g_build_filename("/dev", *line + strlen("DEVNAME="), NULL);
            return open(node, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        }
    return -1;
}

/* What a loop device stands on: another device, or the file system of a file. */
static gboolean
ask_loop(const char *directory, dev_t *ret_device, gboolean *ret_is_file)
{
    struct loop_info64 info;
    gint fd = open_node(directory);
    gboolean is_known = fd >= 0 && ioctl(fd, LOOP_GET_STATUS64, &info) == 0;

    if (fd >= 0)
        close(fd);
    if (!is_known)
        return FALSE;
    *ret_is_file = info.lo_rdevice == 0;
    *ret_device = (dev_t)(info.lo_rdevice ? info.lo_rdevice : info.lo_device);
    return TRUE;
}

/* The same by the path of the file, which may be hidden from us. */
static gboolean
look_at_loop(const char *directory, dev_t *ret_device, gboolean *ret_is_file)
{
    g_autofree char *path = read_line(directory, "loop/backing_file");
    struct stat status;

    if (!path || stat(path, &status) != 0)
        return FALSE;
    *ret_is_file = !S_ISBLK(status.st_mode);
    *ret_device = *ret_is_file ? status.st_dev : status.st_rdev;
    return TRUE;
}

static void descend(Search *search, dev_t device, guint depth);

static void
descend_slaves(Search *search, const char *directory, guint depth)
{
    g_autofree char *path = g_build_filename(directory, "slaves", NULL);
    g_autoptr(GDir) slaves = g_dir_open(path, 0, NULL);
    const char *name;
    dev_t device;

    while (slaves && (name = g_dir_read_name(slaves))) {
        g_autofree char *slave = g_build_filename(path, name, NULL);

        if (read_device(slave, &device))
            descend(search, device, depth);
    }
}

static void
descend_loop(Search *search, const char *directory, guint depth)
{
    g_autofree char *loop = g_build_filename(directory, "loop", NULL);
    gboolean is_file = TRUE;
    dev_t device = 0; /* nobody's */

    if (!g_file_test(loop, G_FILE_TEST_IS_DIR))
        return;
    if (ask_loop(directory, &device, &is_file) || look_at_loop(directory, &device, &is_file)) {
        if (!is_file) {
            descend(search, device, depth);
            return;
        }
    }
    g_array_append_val(search->files, device);
}

static void
descend(Search *search, dev_t device, guint depth)
{
    g_autofree char *directory = g_strdup_printf("%s/dev/block/%u:%u", search->sysfs, major(device),
                                                 minor(device));
    g_autofree char *partition = g_build_filename(directory, "partition", NULL);
    g_autofree char *disk = g_build_filename(directory, "..", NULL);
    dev_t whole;

    if (depth == DEPTH_MAX)
        return;
    if (g_file_test(partition, G_FILE_TEST_EXISTS) && read_device(disk, &whole))
        descend(search, whole, depth + 1);
    descend_slaves(search, directory, depth + 1);
    descend_loop(search, directory, depth + 1);
}

static const OsMount *
mount_at(const OsMounts *mounts, guint i)
{
    return g_ptr_array_index(mounts->list, i);
}

/* A file of btrfs has the device of its subvolume, as the mounted one has. */
static gboolean
holds(const OsMount *mount, dev_t files)
{
    struct stat status;

    if (makedev(mount->major, mount->minor) == files)
        return TRUE;
    return major(files) == 0 && strcmp(mount->type, "btrfs") == 0 &&
           stat(mount->directory, &status) == 0 && status.st_dev == files;
}

static void
put_on_top(Search *search, guint upper, guint lower)
{
    OsOnTop pair = { upper, lower };

    if (upper != lower)
        g_array_append_val(search->on_top, pair);
}

static gboolean
put_on_holder(Search *search, guint upper, dev_t files)
{
    for (guint i = 0; i < search->mounts->list->len; i++)
        if (holds(mount_at(search->mounts, i), files)) {
            put_on_top(search, upper, i);
            return TRUE;
        }
    return FALSE;
}

/* Below `upper` is a file on what is not in the table: another subvolume of a btrfs, an overlay. */
static void
put_on_all(Search *search, guint upper, const gboolean *is_on_loop)
{
    for (guint i = 0; i < search->mounts->list->len; i++)
        if (!is_on_loop[i])
            put_on_top(search, upper, i);
}

GArray *
os_stack_find(const OsMounts *mounts, const char *sysfs)
{
    guint n = mounts->list->len;
    g_autofree gboolean *is_on_loop = g_new0(gboolean, n);
    g_autofree gboolean *is_lost = g_new0(gboolean, n);
    Search search = { mounts, sysfs, g_array_new(FALSE, FALSE, sizeof(OsOnTop)),
                      g_array_new(FALSE, FALSE, sizeof(dev_t)) };

    for (guint i = 0; i < n; i++) {
        const OsMount *mount = mount_at(mounts, i);

        g_array_set_size(search.files, 0);
        descend(&search, makedev(mount->major, mount->minor), 0);
        is_on_loop[i] = search.files->len > 0;
        for (guint file = 0; file < search.files->len; file++)
            if (!put_on_holder(&search, i, g_array_index(search.files, dev_t, file)))
                is_lost[i] = TRUE;
    }
    for (guint i = 0; i < n; i++)
        if (is_lost[i])
            put_on_all(&search, i, is_on_loop);
    g_array_free(search.files, TRUE);
    return search.on_top;
}

/* How many wait that must go before this one. */
static void
count_uppers(const GArray *on_top, guint *n_uppers)
{
    for (guint i = 0; i < on_top->len; i++)
        n_uppers[g_array_index(on_top, OsOnTop, i).lower]++;
}

static void
take(guint index, const GArray *on_top, guint *n_uppers, gboolean *is_taken, GArray *order)
{
    g_array_append_val(order, index);
    is_taken[index] = TRUE;
    for (guint i = 0; i < on_top->len; i++) {
        const OsOnTop *pair = &g_array_index(on_top, OsOnTop, i);

        if (pair->upper == index)
            n_uppers[pair->lower]--;
    }
}

/* The last mounted of those with nothing above them; in a cycle, which cannot be, of all. */
static guint
choose(guint n, const guint *n_uppers, const gboolean *is_taken)
{
    guint last = n;

    for (guint i = n; i > 0; i--) {
        if (is_taken[i - 1])
            continue;
        if (n_uppers[i - 1] == 0)
            return i - 1;
        if (last == n)
            last = i - 1;
    }
    return last;
}

GArray *
os_stack_order(guint n, const GArray *on_top)
{
    GArray *order = g_array_sized_new(FALSE, FALSE, sizeof(guint), n);
    g_autofree guint *n_uppers = g_new0(guint, n);
    g_autofree gboolean *is_taken = g_new0(gboolean, n);

    count_uppers(on_top, n_uppers);
    while (order->len < n)
        take(choose(n, n_uppers, is_taken), on_top, n_uppers, is_taken, order);
    return order;
}

static gboolean
is_below(guint index, const GArray *on_top, const gboolean *is_in_wave)
{
    for (guint i = 0; i < on_top->len; i++) {
        const OsOnTop *pair = &g_array_index(on_top, OsOnTop, i);

        if (pair->lower == index && is_in_wave[pair->upper])
            return TRUE;
    }
    return FALSE;
}

GArray *
os_stack_waves(const GArray *order, const GArray *on_top)
{
    GArray *waves = g_array_sized_new(FALSE, FALSE, sizeof(guint), order->len);
    g_autofree gboolean *is_in_wave = g_new0(gboolean, order->len);
    guint wave = 0;

    for (guint i = 0; i < order->len; i++) {
        guint index = g_array_index(order, guint, i);

        if (is_below(index, on_top, is_in_wave)) {
            memset(is_in_wave, 0, order->len * sizeof *is_in_wave);
            wave++;
        }
        is_in_wave[index] = TRUE;
        g_array_append_val(waves, wave);
    }
    return waves;
}
