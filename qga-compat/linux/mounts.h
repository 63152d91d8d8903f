/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mounted file systems that are on a block device: what is frozen, thawed, trimmed and told
 * about. Network and memory file systems are never among them, bind mounts only as the first
 * mount of their device.
 *
 * Values in, values out: any thread may read a table, and the main thread logs what was odd.
 */
#pragma once

#include <glib.h>

typedef struct GaAccount GaAccount;

typedef struct {
    guint major, minor; /* of the block device; 0:0 (from the fallback table only) is unknown */
    char *source;       /* mostly the device's node */
    char *directory;    /* where it is mounted */
    char *type;
} OsMount;

typedef struct {
    GPtrArray *list; /* OsMount, in the order of the system's table, one for each device */
    /* private */
    GHashTable *by_device;
    GPtrArray *remarks;
} OsMounts;

/* The table of the system. Touches no mounted file system; may wait for the kernel. */
OsMounts *os_mounts_read(GError **error) G_GNUC_WARN_UNUSED_RESULT;

void os_mounts_free(OsMounts *mounts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OsMounts, os_mounts_free)

/* Log what was odd on behalf of `command`. For the main thread. */
void os_mounts_account(const OsMounts *mounts, GaAccount *account, const char *command);

/* What os_mounts_read() is made of: an empty table, and one more line of mountinfo or mounts
 * (proc(5)). A line that is not a line of such a file, or not of interest, adds nothing. */
OsMounts *os_mounts_new(void);
void os_mounts_add_info(OsMounts *mounts, const char *line);
void os_mounts_add_mtab(OsMounts *mounts, const char *line);
