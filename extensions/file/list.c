/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * novacron-file-list. Where a folder is larger than a table, the place to go on from is the
 * kernel's own position in the folder, with the folder's number beside it: file systems keep such
 * positions good for NFS, which has to find its place again after a server was restarted.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/listing.h"
#include "core/refusal.h"
#include "file/place.h"
#include "file/status.h"
#include "gen/file-commands.h"

static char *
target_of(gint folder, const char *name)
{
    char target[PATH_MAX];
    gssize length = readlinkat(folder, name, target, sizeof target);

    return length < 0 ? NULL : g_strndup(target, (gsize)length);
}

/* A folder of a server, say, that we may read but not search. */
static void
lack_all_but_names(GaTable *table)
{
    for (guint i = 1; i < novacron_file_entry_type.n_members; i++)
        ga_table_lack(table, novacron_file_entry_type.members[i].name,
                      novacron_absence_type.values[NOVACRON_ABSENCE_NO_PERMISSION]);
}

static void
describe(NovacronFileEntry *entry, GaTable *table, gint folder)
{
    struct stat status;

    if (fstatat(folder, entry->name, &status, AT_SYMLINK_NOFOLLOW) < 0) {
        if (errno == EACCES)
            lack_all_but_names(table);
        return;
    }
    entry->has_type = TRUE;
    entry->type = ga_file_type(status.st_mode);
    entry->has_size_bytes = TRUE;
    entry->size_bytes = (guint64)status.st_size;
    entry->mode = ga_file_mode(status.st_mode);
    entry->has_uid = TRUE;
    entry->uid = status.st_uid;
    entry->has_gid = TRUE;
    entry->gid = status.st_gid;
    entry->has_modified_ns = TRUE;
    entry->modified_ns = ga_file_modified(&status);
    if (S_ISLNK(status.st_mode) && ga_table_wants(table, "target"))
        entry->target = target_of(folder, entry->name);
}

static gboolean
add(GaTable *table, gint folder, const char *name)
{
    g_autoptr(NovacronFileEntry) entry = g_new0(NovacronFileEntry, 1);

    entry->name = g_strdup(name);
    describe(entry, table, folder);
    return ga_table_add(table, entry);
}

static char *
place_of(const struct stat *folder, glong position)
{
    return g_strdup_printf("%" G_GINT64_MODIFIER "x-%lx", (guint64)folder->st_ino,
                           (gulong)position);
}

static gboolean
go_to(DIR *directory, const struct stat *folder, const char *place, GError **error)
{
    guint64 inode;
    gulong position;
    char end;

    if (sscanf(place, "%" G_GINT64_MODIFIER "x-%lx%c", &inode, &position, &end) != 2) {
        ga_refuse(error, GA_REFUSAL_BAD_VALUE, "'%s' is no place in a folder", place);
        return FALSE;
    }
    if (inode != folder->st_ino) {
        ga_refuse(error, GA_REFUSAL_CURSOR_EXPIRED, "the folder is another one");
        return FALSE;
    }
    seekdir(directory, (glong)position);
    return TRUE;
}

static gboolean
is_dot(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Returns 0 or an errno value. */
static gint
add_entries(GaTable *table, DIR *directory, const struct stat *folder)
{
    for (;;) {
        glong position = telldir(directory);
        errno = 0;
        const struct dirent *entry = readdir(directory);

        if (!entry)
            return errno;
        if (!is_dot(entry->d_name) && !add(table, dirfd(directory), entry->d_name)) {
            ga_table_break(table, place_of(folder, position));
            return 0;
        }
    }
}

static gboolean
fill(GaTable *table, gpointer data, GError **error)
{
    const GaPlace *place = data;
    GaFd fd = ga_place_open_folder(place, error);
    struct stat folder;

    if (fd < 0)
        return FALSE;
    DIR *directory = fdopendir(fd);
    if (!directory || fstat(fd, &folder) < 0) {
        ga_refuse_errno(error, errno, "'%s'", place->path);
        directory ? (void)closedir(directory) : ga_fd_close(fd);
        return FALSE;
    }

    const char *from = ga_table_place(table);
    gboolean is_there = !from || go_to(directory, &folder, from, error);
    gint number = is_there ? add_entries(table, directory, &folder) : 0;
    if (number)
        ga_refuse_errno(error, number, "'%s'", place->path);
    closedir(directory);
    return is_there && number == 0;
}

static void
free_place(gpointer data)
{
    ga_place_free(data);
}

void
novacron_file_list(GaCall *call, const NovacronFileFolder *args)
{
    static const GaListing folder = { &novacron_file_entry_type, fill, .on_thread = TRUE,
                                      .free_data = free_place };
    GError *error = NULL;
    GaPlace *place = ga_place_new(args->path, args->resolve, &error);

    if (place)
        ga_listing_run(&folder, call, args, place);
    else
        ga_call_fail(call, error);
}
