/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * novacron-file-list. A cursor is the kernel's own position in the folder, with the folder's
 * number beside it: file systems keep such positions good for NFS, which has to find its place
 * again after a server was restarted. So nothing is remembered here.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/bounds.h"
#include "core/refusal.h"
#include "core/work.h"
#include "file/place.h"
#include "file/status.h"
#include "gen/file-commands.h"
#include "runtime/qapi-write.h"

/* Around the rows: columns, cursor and what every reply has. */
#define ENVELOPE 1024

typedef struct {
    GaPlace *place;
    GArray *columns; /* of NovacronFileColumn */
    char *cursor;    /* NULL: from the beginning */
    guint limit;
    gsize max_bytes;
} Listing;

typedef struct {
    gint folder;
    const char *name;
    struct stat status;
    gboolean has_status;
} Entry;

static void
write_text(QapiWriter *writer, char *text /* (transfer full) */)
{
    qapi_writer_string(writer, text);
    g_free(text);
}

static void
write_target(QapiWriter *writer, const Entry *entry)
{
    char target[PATH_MAX];
    gssize length = S_ISLNK(entry->status.st_mode)
                        ? readlinkat(entry->folder, entry->name, target, sizeof target)
                        : -1;

    if (length < 0)
        qapi_writer_raw(writer, "null");
    else
        qapi_writer_string_size(writer, target, (gsize)length);
}

static void
write_value(QapiWriter *writer, const Entry *entry, NovacronFileColumn column)
{
    const struct stat *status = &entry->status;

    if (column == NOVACRON_FILE_COLUMN_NAME) {
        qapi_writer_string(writer, entry->name);
        return;
    }
    if (!entry->has_status) {
        qapi_writer_raw(writer, "null");
        return;
    }
    switch (column) {
    case NOVACRON_FILE_COLUMN_TYPE: {
        NovacronFileType type = ga_file_type(status->st_mode);
        qapi_write(writer, &novacron_file_type_type, &type);
        break;
    }
    case NOVACRON_FILE_COLUMN_SIZE_BYTES:
        qapi_writer_uint64(writer, (guint64)status->st_size);
        break;
    case NOVACRON_FILE_COLUMN_MODE:
        write_text(writer, ga_file_mode(status->st_mode));
        break;
    case NOVACRON_FILE_COLUMN_UID:
        qapi_writer_uint64(writer, status->st_uid);
        break;
    case NOVACRON_FILE_COLUMN_GID:
        qapi_writer_uint64(writer, status->st_gid);
        break;
    case NOVACRON_FILE_COLUMN_MODIFIED_NS:
        qapi_writer_int64(writer, ga_file_modified(status));
        break;
    default:
        write_target(writer, entry);
    }
}

static char *
row_of(const Listing *listing, gint folder, const char *name)
{
    g_autoptr(QapiWriter) writer = qapi_writer_new();
    Entry entry = { .folder = folder, .name = name };

    entry.has_status = fstatat(folder, name, &entry.status, AT_SYMLINK_NOFOLLOW) == 0;
    for (guint i = 0; i < listing->columns->len; i++) {
        qapi_writer_raw(writer, i ? ", " : "[");
        write_value(writer, &entry, g_array_index(listing->columns, NovacronFileColumn, i));
    }
    qapi_writer_raw(writer, "]");
    return qapi_writer_to_text(writer, NULL);
}

static char *
cursor_of(DIR *directory, const struct stat *folder)
{
    return g_strdup_printf("%" G_GINT64_MODIFIER "x-%lx", (guint64)folder->st_ino,
                           (gulong)telldir(directory));
}

static gboolean
go_to(DIR *directory, const struct stat *folder, const char *cursor, GError **error)
{
    guint64 inode;
    gulong position;
    char end;

    if (sscanf(cursor, "%" G_GINT64_MODIFIER "x-%lx%c", &inode, &position, &end) != 2) {
        ga_refuse(error, GA_REFUSAL_BAD_VALUE, "'%s' is no cursor", cursor);
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

static gboolean
read_rows(const Listing *listing, DIR *directory, const struct stat *folder,
          NovacronFileTable *table, GError **error)
{
    gsize bytes = ENVELOPE;

    for (;;) {
        g_autofree char *before = cursor_of(directory, folder);
        errno = 0;
        const struct dirent *entry = readdir(directory);

        if (!entry) {
            if (errno)
                ga_refuse_errno(error, errno, "'%s'", listing->place->path);
            return errno == 0;
        }
        if (is_dot(entry->d_name))
            continue;

        g_autofree char *row = row_of(listing, dirfd(directory), entry->d_name);
        bytes += strlen(row) + 2;
        /* One row at least, or a client would never get on. */
        if (table->rows->len == listing->limit ||
            (table->rows->len > 0 && bytes > listing->max_bytes)) {
            table->next = g_steal_pointer(&before);
            return TRUE;
        }
        g_ptr_array_add(table->rows, qapi_any_new_text(g_steal_pointer(&row)));
    }
}

static gpointer
list(gpointer data, GError **error)
{
    Listing *listing = data;
    GaFd fd = ga_place_open_folder(listing->place, error);
    struct stat folder;

    if (fd < 0)
        return NULL;
    DIR *directory = fdopendir(fd);
    if (!directory || fstat(fd, &folder) < 0) {
        ga_refuse_errno(error, errno, "'%s'", listing->place->path);
        directory ? (void)closedir(directory) : ga_fd_close(fd);
        return NULL;
    }

    g_autoptr(NovacronFileTable) table = g_new0(NovacronFileTable, 1);
    table->rows = g_ptr_array_new();
    gboolean is_read = (!listing->cursor || go_to(directory, &folder, listing->cursor, error)) &&
                       read_rows(listing, directory, &folder, table, error);
    closedir(directory);
    table->columns = g_steal_pointer(&listing->columns);
    return is_read ? g_steal_pointer(&table) : NULL;
}

static void
listing_free(gpointer data)
{
    Listing *listing = data;

    ga_place_free(listing->place);
    if (listing->columns)
        g_array_free(listing->columns, TRUE);
    g_free(listing->cursor);
    g_free(listing);
}

static GArray *
columns_of(const GArray *wanted)
{
    GArray *columns = g_array_new(FALSE, FALSE, sizeof(NovacronFileColumn));

    if (wanted && wanted->len > 0)
        return g_array_append_vals(columns, wanted->data, wanted->len);
    for (NovacronFileColumn column = NOVACRON_FILE_COLUMN_NAME;
         column <= NOVACRON_FILE_COLUMN_TARGET; column++)
        g_array_append_val(columns, column);
    return columns;
}

static gboolean
check(const NovacronFileListArgs *args, GError **error)
{
    if (args->has_max_bytes && args->max_bytes > GA_REPLY_MAX_BYTES)
        ga_refuse(error, GA_REFUSAL_BAD_VALUE, "max-bytes is at most %u", GA_REPLY_MAX_BYTES);
    else if (args->has_limit && args->limit == 0)
        ga_refuse(error, GA_REFUSAL_BAD_VALUE, "limit is at least 1");
    else if (args->columns && args->columns->len > NOVACRON_FILE_COLUMN_TARGET + 1)
        ga_refuse(error, GA_REFUSAL_BAD_VALUE, "a column is told once");
    else
        return TRUE;
    return FALSE;
}

void
novacron_file_list(GaCall *call, const NovacronFileListArgs *args)
{
    GError *error = NULL;
    GaPlace *place = check(args, &error) ? ga_place_new(args->path, args->resolve, &error) : NULL;

    if (!place) {
        ga_call_fail(call, error);
        return;
    }
    Listing *listing = g_new0(Listing, 1);
    listing->place = place;
    listing->columns = columns_of(args->columns);
    listing->cursor = g_strdup(args->cursor);
    listing->limit = args->has_limit ? args->limit : G_MAXUINT;
    listing->max_bytes = args->has_max_bytes ? args->max_bytes : GA_REPLY_DEFAULT_BYTES;
    ga_work_run(call, list, listing, listing_free);
}
