/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copies one file into or out of the guest: by ranges where the agent has them,
 * else through an open file of the guest. On our side the target appears whole
 * or not at all; through an open file there is no renaming, so a copy that fails
 * leaves an incomplete file there, and says so.
 */
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "novacronctl/copy-ranges.h"
#include "novacronctl/copy-tree.h"
#include "novacronctl/interrupt.h"
#include "novacronctl/output.h"
#include "novacronctl/progress.h"
#include "novacronctl/refusal.h"
#include "novacronctl/remote-file.h"
#include "novacronctl/saved-file.h"
#include "novacronctl/subcommand.h"

#define GUEST_PREFIX "guest:"

/* Where `source` goes if `target` is a folder: its own name within it. */
static char *
target_path(const char *target, const char *source, gboolean is_folder)
{
    g_autofree char *name = g_path_get_basename(source);

    return is_folder ? g_build_filename(target, name, NULL) : g_strdup(target);
}

static gboolean
goes_on(GCancellable *cancellable, GError **error)
{
    if (!g_cancellable_is_cancelled(cancellable))
        return TRUE;
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INTR, "interrupted");
    return FALSE;
}

/* Until the end of `from`. Returns the number of bytes, or -1. */
static gint64
receive_pieces(RemoteFile *from, SavedFile *to, Progress *progress, GError **error)
{
    g_autoptr(GCancellable) cancellable = interrupt_watch();
    gint64 done = 0;

    while (goes_on(cancellable, error)) {
        g_autoptr(GBytes) piece = remote_file_read(from, error);
        gsize size;

        if (!piece)
            return -1;
        const void *data = g_bytes_get_data(piece, &size);
        if (size == 0)
            return done;
        if (!saved_file_write(to, data, size, error))
            return -1;
        done += (gint64)size;
        progress_show(progress, done);
    }
    return -1;
}

/* What the kernel makes up as it is read has no end to seek to, or one at 0. */
static gboolean
find_size(RemoteFile *file, gint64 *ret_size, GError **error)
{
    gint64 end = remote_file_seek_end(file, NULL);

    *ret_size = MAX(end, 0);
    return end < 0 || remote_file_rewind(file, error);
}

/* Through an open file of the guest, whose pieces cannot be asked for twice. */
static void
begin_plainly(const Subcommand *subcommand, CopyUnfit unfit, const char *command)
{
    qga_client_persist(subcommand->client, 0);
    if (unfit == COPY_REFUSED)
        refusal_tell_loss(subcommand, command,
                          "without novacron-file: what arrives is not compared, and a copy that "
                          "is cut\nbegins anew.");
}

/* FALSE, perhaps with an error: it is no folder. */
static gboolean
is_folder_in_guest(QgaClient *client, const char *path, GError **error)
{
    g_autofree char *own_path = g_strdup(path);
    const NovacronFileStatArgs args = { .path = own_path };
    g_autoptr(NovacronFileStatus) seen = NULL;

    if (qga_novacron_file_stat(client, &args, &seen, error))
        return seen->type == NOVACRON_FILE_TYPE_DIRECTORY;
    return FALSE;
}

static gint64
copy_from_guest(const Subcommand *subcommand, const char *source, const char *target,
                GError **error)
{
    QgaClient *client = subcommand->client;
    gboolean is_folder = g_file_test(target, G_FILE_TEST_IS_DIR);
    g_autofree char *path = target_path(target, source, is_folder);
    CopyUnfit unfit;

    /* A link in a folder may be the guest's work of an earlier copy. */
    if (is_folder && g_file_test(path, G_FILE_TEST_IS_SYMLINK)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_LOOP,
                    "'%s' is a symbolic link; it is only followed where it is named", path);
        return -1;
    }
    gint64 copied = copy_ranges_out(client, source, path, &unfit, error);
    gint64 size;

    if (!unfit)
        return copied;
    if (is_folder_in_guest(client, source, NULL)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_ISDIR,
                    "the guest's '%s' is a directory; --recursive copies it", source);
        return -1;
    }
    begin_plainly(subcommand, unfit, "novacron-file-read");
    g_autoptr(RemoteFile) from = remote_file_open(client, source, "r", error);
    if (!from || !find_size(from, &size, error))
        return -1;
    g_autoptr(SavedFile) to = saved_file_new(path, error);
    if (!to)
        return -1;

    Progress progress;
    progress_start(&progress, size);
    gint64 done = receive_pieces(from, to, &progress, error);
    progress_stop(&progress);
    if (done < 0)
        return -1;

    /* It may have grown meanwhile, as logs do, but there is no honest way to get less. */
    if (done < size) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
                    "'%s' had %" G_GINT64_FORMAT " bytes, but only %" G_GINT64_FORMAT
                    " could be read",
                    source, size, done);
        return -1;
    }
    return remote_file_close(from, error) && saved_file_commit(to, error) ? done : -1;
}

static void
set_read_error(GError **error, const char *path)
{
    int number = errno;

    g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(number), "cannot read '%s': %s",
                path, g_strerror(number));
}

/* Until the end of the file `fd`. Returns the number of bytes, or -1. */
static gint64
send_pieces(int fd, const char *source, RemoteFile *to, Progress *progress, GError **error)
{
    g_autoptr(GCancellable) cancellable = interrupt_watch();
    g_autofree guint8 *piece = g_malloc(QGA_CLIENT_DATA_MAX);
    gint64 done = 0;

    while (goes_on(cancellable, error)) {
        gssize size = read(fd, piece, QGA_CLIENT_DATA_MAX);
        if (size == 0)
            return done;
        if (size < 0) {
            set_read_error(error, source);
            return -1;
        }
        if (!remote_file_write(to, piece, (gsize)size, error))
            return -1;
        done += size;
        progress_show(progress, done);
    }
    return -1;
}

/* The guest must agree on the size, and must still agree when its buffers are written. */
static gboolean
finish_remote(RemoteFile *file, gint64 size, GError **error)
{
    gint64 end = remote_file_seek_end(file, error);
    if (end < 0)
        return FALSE;
    if (end != size) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
                    "%" G_GINT64_FORMAT " bytes were sent, but the file has %" G_GINT64_FORMAT,
                    size, end);
        return FALSE;
    }
    return remote_file_close(file, error);
}

static gint64
send_file(QgaClient *client, int fd, const char *source, const char *path, GError **error)
{
    struct stat status;
    if (fstat(fd, &status) < 0) {
        set_read_error(error, source);
        return -1;
    }
    if (S_ISDIR(status.st_mode)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_ISDIR,
                    "'%s' is a directory; --recursive copies it", source);
        return -1;
    }

    g_autoptr(RemoteFile) to = remote_file_open(client, path, "w", error);
    if (!to)
        return -1;
    Progress progress;
    progress_start(&progress, status.st_size);
    gint64 done = send_pieces(fd, source, to, &progress, error);
    progress_stop(&progress);
    if (done >= 0 && finish_remote(to, done, error))
        return done;
    g_prefix_error(error, "the guest's '%s' is incomplete: ", path);
    return -1;
}

static gint64
copy_to_guest(const Subcommand *subcommand, const char *source, const char *target, GError **error)
{
    QgaClient *client = subcommand->client;
    g_autofree char *path = target_path(target, source, g_str_has_suffix(target, "/"));
    int fd = open(source, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        set_read_error(error, source);
        return -1;
    }
    CopyUnfit unfit;
    gint64 done = copy_ranges_in(client, fd, source, path, &unfit, error);
    if (unfit)
        begin_plainly(subcommand, unfit, "novacron-file-upload-begin");
    if (unfit)
        done = send_file(client, fd, source, path, error);
    close(fd);
    return done;
}

static int
report(const Subcommand *subcommand, const CopyTreeCounts *counts, gboolean is_tree)
{
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
    const struct {
        const char *name;
        guint64 count;
    } members[] = {
        { "bytes", counts->bytes },       { "files", counts->files },
        { "folders", counts->folders },   { "links", counts->links },
        { "failures", counts->failures },
    };

    json_node_take_object(node, json_object_new());
    for (guint i = 0; i < (is_tree ? G_N_ELEMENTS(members) : 1); i++)
        json_object_set_int_member(json_node_get_object(node), members[i].name,
                                   (gint64)members[i].count);
    if (subcommand->options->as_json)
        output_json(node);
    if (counts->failures == 0)
        return EXIT_SUCCESS;
    output_note("%" G_GUINT64_FORMAT " files or folders were left out", counts->failures);
    return EXIT_FAILURE;
}

static gboolean
copy_out(const Subcommand *subcommand, const char *source, const char *target,
         CopyTreeCounts *counts, gboolean *ret_is_tree, GError **error)
{
    QgaClient *client = subcommand->client;
    g_autoptr(GError) local = NULL;

    *ret_is_tree = subcommand->options->recursive && is_folder_in_guest(client, source, &local);
    if (local) {
        g_propagate_prefixed_error(error, g_steal_pointer(&local), "--recursive needs it: ");
        return FALSE;
    }
    if (*ret_is_tree)
        return copy_tree_out(client, source, target, counts, error);
    gint64 done = copy_from_guest(subcommand, source, target, error);
    counts->bytes = (guint64)MAX(done, 0);
    return done >= 0;
}

static gboolean
copy_in(const Subcommand *subcommand, const char *source, const char *target,
        CopyTreeCounts *counts, gboolean *ret_is_tree, GError **error)
{
    *ret_is_tree = subcommand->options->recursive && g_file_test(source, G_FILE_TEST_IS_DIR);
    if (*ret_is_tree) {
        g_autoptr(GError) local = NULL;
        if (copy_tree_in(subcommand->client, source, target, counts, &local))
            return TRUE;
        if (transfer_is_refused(local))
            g_prefix_error(&local, "--recursive needs it: ");
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    gint64 done = copy_to_guest(subcommand, source, target, error);
    counts->bytes = (guint64)MAX(done, 0);
    return done >= 0;
}

int
copy_run(const Subcommand *subcommand, GError **error)
{
    const char *source = subcommand->words[0];
    const char *target = subcommand->words[1];
    gboolean from_guest = g_str_has_prefix(source, GUEST_PREFIX);
    gboolean to_guest = g_str_has_prefix(target, GUEST_PREFIX);
    CopyTreeCounts counts = { 0 };
    gboolean is_tree;

    if (from_guest == to_guest) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "exactly one of SOURCE and TARGET must start with " GUEST_PREFIX);
        return -1;
    }
    qga_client_persist(subcommand->client, subcommand->options->reconnect);
    gboolean is_done = from_guest ? copy_out(subcommand, source + strlen(GUEST_PREFIX), target,
                                             &counts, &is_tree, error)
                                  : copy_in(subcommand, source, target + strlen(GUEST_PREFIX),
                                            &counts, &is_tree, error);
    return is_done ? report(subcommand, &counts, is_tree) : -1;
}
