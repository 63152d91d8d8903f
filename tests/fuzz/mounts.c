/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any mount table: whatever comes out is whole, and each device is there once. */
#include <string.h>

#include "fuzz.h"
#include "linux/mounts.h"

static void
check(const OsMounts *mounts)
{
    g_autoptr(GHashTable) devices = g_hash_table_new(g_int64_hash, g_int64_equal);
    g_autofree gint64 *keys = g_new(gint64, mounts->list->len + 1);

    for (guint i = 0; i < mounts->list->len; i++) {
        const OsMount *mount = mounts->list->pdata[i];
        g_assert_true(*mount->source && *mount->directory && *mount->type);
        keys[i] = (gint64)mount->major << 32 | mount->minor;
        g_assert_true(g_hash_table_add(devices, &keys[i]));
    }
}

static void
run(char **lines, void (*add_line)(OsMounts *mounts, const char *line))
{
    g_autoptr(OsMounts) mounts = os_mounts_new();

    for (guint i = 0; lines[i]; i++)
        add_line(mounts, lines[i]);
    check(mounts);
    os_mounts_account(mounts, NULL, "fuzz");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    run(lines, os_mounts_add_info);
    run(lines, os_mounts_add_mtab);
    return 0;
}
