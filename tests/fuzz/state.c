/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any state file: refused, or handles go on from its counter one by one, and the
 * next process goes on where this one stopped, but for the 32 bits of the file.
 */
#include <glib/gstdio.h>

#include "core/persist.h"
#include "fuzz.h"

#define HANDLES 3

static GaPersist *
load(const char *directory)
{
    g_autoptr(GaPersist) persist = ga_persist_new(directory, NULL);

    g_assert_nonnull(persist);
    return ga_persist_load(persist, NULL) ? g_steal_pointer(&persist) : NULL;
}

static gint64
next_handle(GaPersist *persist)
{
    gint64 handle;

    g_assert_true(ga_persist_next_handle(persist, &handle, NULL));
    return handle;
}

static void
check_handles(const char *directory)
{
    g_autoptr(GaPersist) first = load(directory);
    if (!first)
        return;

    gint64 handle = next_handle(first);
    g_assert_true(handle >= G_MININT32 && handle <= G_MAXINT32);
    for (gint i = 1; i < HANDLES; i++)
        g_assert_cmpint(next_handle(first), ==, handle + i);

    g_autoptr(GaPersist) second = load(directory);
    g_assert_nonnull(second);
    g_assert_cmpint(next_handle(second), ==, (gint32)(handle + HANDLES));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *directory = g_dir_make_tmp("fuzz-state-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(directory, "qga.state", NULL);

    g_assert_true(g_file_set_contents(path, (const char *)data, (gssize)size, NULL));
    check_handles(directory);
    g_unlink(path);
    g_assert_cmpint(g_rmdir(directory), ==, 0); /* nothing else is left there */
    return 0;
}
