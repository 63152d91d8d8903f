/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which file system stands on which: one on a loop device, also through partitions,
 * dm and md, writes to the file system that holds the device's file. It must be
 * frozen first, for its own freeze writes, and thawed last.
 */
#pragma once

#include "linux/mounts.h"

/* Indexes of a table's list. */
typedef struct {
    guint upper; /* writes to `lower` */
    guint lower;
} OsOnTop;

/* What `sysfs` (where sysfs is mounted) says of the mounts: a GArray of OsOnTop. A loop file that
 * is on no mount of the table stands, to be safe, on all that stand on no loop themselves. */
GArray *os_stack_find(const OsMounts *mounts, const char *sysfs);

/* The `n` indexes of a list in the order of freezing (a GArray of guint): the last mounted first,
 * except that what stands on top comes before what it stands on. */
GArray *os_stack_order(guint n, const GArray *on_top);

/* For each place in that order its wave (a GArray of guint), from 0 on. Nothing in a wave stands on
 * anything else in it, also not by way of others: a wave may be frozen at once. */
GArray *os_stack_waves(const GArray *order, const GArray *on_top);
