/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The order of freezing, by a made-up sysfs; loop files are files of this test. */
#include "linux/stack.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "runner.h"

static char *folder; /* holds sys/ and the loop files */

static char *
path_of(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

static void
make_parent(const char *path)
{
    g_autofree char *parent = g_path_get_dirname(path);

    ck_assert_int_eq(g_mkdir_with_parents(parent, 0700), 0);
}

static void
put(const char *name, const char *text)
{
    g_autofree char *path = path_of(name);

    make_parent(path);
    ck_assert(g_file_set_contents(path, text, -1, NULL));
}

static void
put_link(const char *name, const char *target)
{
    g_autofree char *path = path_of(name);

    make_parent(path);
    ck_assert_int_eq(symlink(target, path), 0);
}

/* A device at its place in sysfs. */
static void
put_device(const char *number, const char *place)
{
    g_autofree char *dev = g_strdup_printf("sys/devices/%s/dev", place);
    g_autofree char *name = g_strdup_printf("sys/dev/block/%s", number);
    g_autofree char *target = g_strdup_printf("../../devices/%s", place);

    put(dev, number);
    put_link(name, target);
}

static void
put_loop(const char *number, const char *place, const char *file)
{
    g_autofree char *name = g_strdup_printf("sys/devices/%s/loop/backing_file", place);
    g_autofree char *path = path_of(file);
    g_autofree char *line = g_strdup_printf("%s\n", path);

    put_device(number, place);
    put(name, line);
}

static void
remove_all(const char *path)
{
    g_autoptr(GDir) names = g_file_test(path, G_FILE_TEST_IS_SYMLINK) ? NULL
                                                                      : g_dir_open(path, 0, NULL);
    const char *name;

    while (names && (name = g_dir_read_name(names))) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        remove_all(child);
    }
    g_remove(path);
}

static void
setup(void)
{
    folder = g_dir_make_tmp("stack-XXXXXX", NULL);
    put("file", "");
}

static void
teardown(void)
{
    remove_all(folder);
    g_free(folder);
}

/* Where the files of this test are. */
static char *
own_device(void)
{
    struct stat status;

    ck_assert_int_eq(stat(folder, &status), 0);
    return g_strdup_printf("%u:%u", major(status.st_dev), minor(status.st_dev));
}

/* The names of the mounts, given as "NAME=MAJOR:MINOR" ("own": ours), in the order of freezing. */
static char *
order_of(const char *table)
{
    g_autoptr(OsMounts) mounts = os_mounts_new();
    g_auto(GStrv) entries = g_strsplit(table, " ", -1);
    g_autofree char *own = own_device(), *sysfs = path_of("sys");
    g_autoptr(GString) names = g_string_new(NULL);

    for (char **entry = entries; *entry; entry++) {
        char *device = strchr(*entry, '=') + 1;
        device[-1] = '\0';
        g_autofree char *line = g_strdup_printf("1 0 %s / /%s rw - ext4 x rw",
                                                strcmp(device, "own") == 0 ? own : device, *entry);
        os_mounts_add_info(mounts, line);
    }
    g_autoptr(GArray) on_top = os_stack_find(mounts, sysfs);
    g_autoptr(GArray) order = os_stack_order(mounts->list->len, on_top);
    ck_assert_uint_eq(order->len, g_strv_length(entries));
    for (guint i = 0; i < order->len; i++) {
        const OsMount *mount = mounts->list->pdata[g_array_index(order, guint, i)];
        g_string_append_printf(names, "%s%s", i ? " " : "", mount->directory + 1);
    }
    return g_string_free(g_steal_pointer(&names), FALSE);
}

static void
assert_order(const char *table, const char *expected)
{
    g_autofree char *found = order_of(table);

    ck_assert_str_eq(found, expected);
}

START_TEST(plain_devices_go_backwards)
{
    put_device("98:1", "x");
    assert_order("a=98:1 b=98:2 c=98:3", "c b a");
}
END_TEST

START_TEST(a_loop_comes_before_what_holds_its_file)
{
    put_loop("7:0", "loop0", "file");
    assert_order("host=own loop=7:0 other=98:1", "other loop host");
    assert_order("loop=7:0 host=own other=98:1", "other loop host");
    assert_order("loop=7:0 other=98:1 host=own", "other loop host");
}
END_TEST

START_TEST(so_does_one_on_a_partition_of_a_loop)
{
    put_loop("7:0", "loop0", "file");
    put_device("259:1", "loop0/loop0p1");
    put("sys/devices/loop0/loop0p1/partition", "1\n");
    assert_order("part=259:1 host=own", "part host");
}
END_TEST

START_TEST(so_does_one_on_dm_and_md_over_loops)
{
    put_loop("7:0", "loop0", "file");
    put_device("259:1", "loop0/loop0p1");
    put("sys/devices/loop0/loop0p1/partition", "1\n");
    put_device("9:0", "md0");
    put_link("sys/devices/md0/slaves/loop0p1", "../../loop0/loop0p1");
    put_device("253:0", "dm-0");
    put_link("sys/devices/dm-0/slaves/md0", "../../md0");
    assert_order("dm=253:0 plain=98:1 host=own", "plain dm host");
}
END_TEST

/* Another subvolume of a btrfs, an overlay, a network file system, a file that is gone. */
START_TEST(a_loop_whose_file_is_nowhere_comes_before_all_that_are_on_no_loop)
{
    put_loop("7:0", "loop0", "gone");
    put_loop("7:1", "loop1", "gone");
    assert_order("one=7:0 two=7:1 a=98:1 b=98:2", "two one b a");
    assert_order("a=98:1 one=7:0 b=98:2 two=7:1", "two one b a");
}
END_TEST

START_TEST(a_device_below_itself_is_no_endless_search)
{
    put_device("253:0", "dm-0");
    put_link("sys/devices/dm-0/slaves/dm-0", "../../dm-0");
    assert_order("a=253:0 b=98:1", "b a");
}
END_TEST

/* With a bar between waves. */
static char *
order_by(guint n, const OsOnTop *pairs, guint n_pairs)
{
    g_autoptr(GArray) on_top = g_array_new(FALSE, FALSE, sizeof(OsOnTop));
    g_autoptr(GString) text = g_string_new(NULL);

    g_array_append_vals(on_top, pairs, n_pairs);
    g_autoptr(GArray) order = os_stack_order(n, on_top);
    g_autoptr(GArray) waves = os_stack_waves(order, on_top);
    ck_assert_uint_eq(waves->len, n);
    for (guint i = 0; i < order->len; i++) {
        if (i > 0 && g_array_index(waves, guint, i) != g_array_index(waves, guint, i - 1))
            g_string_append_c(text, '|');
        g_string_append_printf(text, "%u", g_array_index(order, guint, i));
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

START_TEST(every_pair_is_kept_and_all_else_goes_backwards_and_at_once)
{
    static const struct {
        guint n, n_pairs;
        OsOnTop pairs[4];
        const char *order;
    } cases[] = {
        { 0, 0, { { 0, 0 } }, "" },
        { 4, 0, { { 0, 0 } }, "3210" },
        { 4, 1, { { 0, 3 } }, "210|3" },
        { 4, 3, { { 0, 1 }, { 1, 2 }, { 2, 3 } }, "0|1|2|3" },
        { 4, 2, { { 1, 3 }, { 1, 3 } }, "21|30" },
        { 5, 3, { { 0, 4 }, { 1, 4 }, { 4, 2 } }, "310|4|2" },
        { 3, 2, { { 0, 1 }, { 1, 0 } }, "21|0" }, /* a cycle: all the same each once */
        { 2, 2, { { 0, 1 }, { 1, 0 } }, "1|0" },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *found = order_by(cases[i].n, cases[i].pairs, cases[i].n_pairs);
        ck_assert_str_eq(found, cases[i].order);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("stack");
    TCase *tcase = tcase_create("stack");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, plain_devices_go_backwards);
    tcase_add_test(tcase, a_loop_comes_before_what_holds_its_file);
    tcase_add_test(tcase, so_does_one_on_a_partition_of_a_loop);
    tcase_add_test(tcase, so_does_one_on_dm_and_md_over_loops);
    tcase_add_test(tcase, a_loop_whose_file_is_nowhere_comes_before_all_that_are_on_no_loop);
    tcase_add_test(tcase, a_device_below_itself_is_no_endless_search);
    tcase_add_test(tcase, every_pair_is_kept_and_all_else_goes_backwards_and_at_once);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
