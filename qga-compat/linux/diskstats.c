/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest-get-diskstats from /proc/diskstats, whose lines got longer with time: 11
 * numbers, or 4 for partitions, in Linux 2.6; 15 since 4.18, 17 since 5.5. With any
 * other number only the older ones are told. The kernel adds up counters of each
 * processor for each disk: so a thread reads it.
 */
#include "linux/diskstats.h"

#include <errno.h>
#include <stddef.h>

#include "core/work.h"
#include "gen/guest-agent-commands.h"
#include "linux/lines.h"
#include "runtime/qapi-error.h"

#define FILE_NAME "/proc/diskstats"

typedef struct {
    gsize has, offset;
    gboolean is_narrow; /* upstream keeps 32 bits of it, as the kernel of its time did */
} Column;

#define COLUMN(name) offsetof(GuestDiskStats, has_##name), offsetof(GuestDiskStats, name)

static const Column disk_columns[] = {
    { COLUMN(read_ios), FALSE },       { COLUMN(read_merges), FALSE },
    { COLUMN(read_sectors), FALSE },   { COLUMN(read_ticks), FALSE },
    { COLUMN(write_ios), FALSE },      { COLUMN(write_merges), FALSE },
    { COLUMN(write_sectors), FALSE },  { COLUMN(write_ticks), TRUE },
    { COLUMN(ios_pgr), TRUE },         { COLUMN(total_ticks), TRUE },
    { COLUMN(weight_ticks), TRUE },    { COLUMN(discard_ios), FALSE },
    { COLUMN(discard_merges), FALSE }, { COLUMN(discard_sectors), FALSE },
    { COLUMN(discard_ticks), TRUE },   { COLUMN(flush_ios), FALSE },
    { COLUMN(flush_ticks), TRUE },
};

static const Column partition_columns[] = {
    { COLUMN(read_ios), FALSE },
    { COLUMN(read_sectors), FALSE },
    { COLUMN(write_ios), FALSE },
    { COLUMN(write_sectors), FALSE },
};

/* How many of the columns that a line has make a whole set. */
static guint
whole_set(guint n_columns)
{
    static const guint sets[] = { 17, 15, 11 };

    for (guint i = 0; i < G_N_ELEMENTS(sets); i++)
        if (n_columns >= sets[i])
            return sets[i];
    return 0;
}

static GuestDiskStats *
make_stats(const guint64 *numbers, guint n_numbers)
{
    gboolean is_partition = n_numbers == G_N_ELEMENTS(partition_columns);
    const Column *columns = is_partition ? partition_columns : disk_columns;
    guint n_columns = is_partition ? n_numbers : whole_set(n_numbers);
    GuestDiskStats *stats = g_new0(GuestDiskStats, 1);

    for (guint i = 0; i < n_columns; i++) {
        G_STRUCT_MEMBER(gboolean, stats, columns[i].has) = TRUE;
        G_STRUCT_MEMBER(guint64, stats, columns[i].offset) = columns[i].is_narrow
                                                                 ? (guint32)numbers[i]
                                                                 : numbers[i];
    }
    return stats;
}

void
os_diskstats_add(GPtrArray *list, const char *line)
{
    guint64 device[2], numbers[G_N_ELEMENTS(disk_columns)];

    if (os_column_numbers(&line, device, G_N_ELEMENTS(device)) < G_N_ELEMENTS(device))
        return;
    g_autofree char *name = os_column_word(&line, G_MAXSIZE);
    guint n_numbers = os_column_numbers(&line, numbers, G_N_ELEMENTS(numbers));
    if (!name || n_numbers < G_N_ELEMENTS(partition_columns))
        return;

    GuestDiskStatsInfo *info = g_new0(GuestDiskStatsInfo, 1);
    info->name = g_steal_pointer(&name);
    info->major = (guint32)device[0];
    info->minor = (guint32)device[1];
    info->stats = make_stats(numbers, n_numbers);
    g_ptr_array_add(list, info);
}

static gboolean
add_line(gpointer owner, const char *line)
{
    os_diskstats_add(owner, line);
    return TRUE;
}

static gpointer
work(G_GNUC_UNUSED gpointer data, GError **error)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new();

    if (!os_lines_read(FILE_NAME, add_line, list)) {
        qapi_set_errno(error, errno, "Could not open '%s'", FILE_NAME);
        return NULL;
    }
    return g_steal_pointer(&list);
}

void
guest_get_diskstats(GaCall *call)
{
    ga_work_run(call, work, NULL, NULL);
}
