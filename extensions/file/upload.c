/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Uploads on the disk.
 *
 * The temporary file may be in a folder of somebody whom nobody trusts: the record has the numbers
 * of the file that was made, and another one of its name is not written to.
 */
#include "file/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/refusal.h"
#include "file/status.h"
#include "platform/host.h"
#include "runtime/qapi-parse.h"
#include "runtime/qapi-read.h"
#include "runtime/qapi-write.h"

#define PREFIX ".novacron-upload-"
#define SUFFIX ".json"
#define ID_MAX 64

/* Of a client that does not come back. */
#define AGE_MAX_NS (7 * 24 * 3600 * G_GINT64_CONSTANT(1000000000))

static gint64
now_ns(void)
{
    return g_get_real_time() * 1000;
}

gboolean
ga_upload_check_id(const char *id, GError **error)
{
    gsize length = strlen(id);

    if (length > 0 && length <= ID_MAX &&
        strspn(id, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "-_") == length)
        return TRUE;
    ga_refuse(error, GA_REFUSAL_BAD_VALUE, "an id has 1 to %d letters, digits, - and _", ID_MAX);
    return FALSE;
}

static char *
record_path(const char *folder, const char *id)
{
    return g_strdup_printf("%s/%s" SUFFIX, folder, id);
}

void
ga_upload_free(GaUpload *upload)
{
    if (!upload)
        return;
    if (upload->fd >= 0)
        ga_fd_close(upload->fd);
    if (upload->parent >= 0)
        ga_fd_close(upload->parent);
    ga_place_free(upload->place);
    novacron_file_upload_record_free(upload->record);
    g_free(upload->temporary);
    g_free(upload->id);
    g_free(upload);
}

static GaUpload *
upload_new(const char *id, NovacronFileUploadRecord *record)
{
    GaUpload *upload = g_new0(GaUpload, 1);

    upload->id = g_strdup(id);
    upload->temporary = g_strconcat(PREFIX, id, NULL);
    upload->record = record;
    upload->place = g_new0(GaPlace, 1);
    upload->place->path = g_strdup(record->path);
    upload->place->root = g_strdup(record->root);
    upload->place->how = record->how;
    upload->parent = upload->fd = -1;
    return upload;
}

/* Records */

static NovacronFileUploadRecord *
parse(const char *text, gsize size, GError **error)
{
    g_autoptr(QapiValue) value = qapi_parse(text, size, error);
    g_autoptr(NovacronFileUploadRecord) record = g_new0(NovacronFileUploadRecord, 1);

    if (!value || !qapi_read_struct(&novacron_file_upload_record_type, value,
                                    qapi_value_root(value), QAPI_READ_COPY, record, error))
        return NULL;
    return g_steal_pointer(&record);
}

GaUpload *
ga_upload_find(const char *folder, const char *id, GError **error)
{
    g_autofree char *path = record_path(folder, id);
    g_autofree char *text = NULL;
    g_autoptr(GError) reason = NULL;
    gsize size;
    NovacronFileUploadRecord *record = NULL;

    if (g_file_get_contents(path, &text, &size, &reason))
        record = parse(text, size, &reason);
    if (!record) {
        if (!g_error_matches(reason, G_FILE_ERROR, G_FILE_ERROR_NOENT))
            g_warning("the record of upload %s: %s", id, reason->message);
        ga_refuse(error, GA_REFUSAL_NOT_FOUND, "there is no upload %s", id);
        return NULL;
    }
    return upload_new(id, record);
}

/* As a whole; whether it outlives a crash of the guest does not matter, as the upload begins anew
 * then. */
static gboolean
save(const char *folder, const GaUpload *upload, GError **error)
{
    g_autofree char *path = record_path(folder, upload->id);
    g_autoptr(QapiWriter) writer = qapi_writer_new();
    g_autoptr(GError) reason = NULL;
    gsize size;

    qapi_write_struct(writer, &novacron_file_upload_record_type, upload->record);
    g_autofree char *text = qapi_writer_to_text(writer, &size);
    if (g_file_set_contents(path, text, (gssize)size, &reason))
        return TRUE;
    ga_refuse(error, GA_REFUSAL_FAILED, "the record of the upload: %s", reason->message);
    return FALSE;
}

void
ga_upload_forget(const char *folder, const GaUpload *upload)
{
    g_autofree char *path = record_path(folder, upload->id);

    if (g_unlink(path) < 0 && errno != ENOENT)
        g_warning("failed to remove %s: %s", path, g_strerror(errno));
}

/* The temporary file */

static gboolean
find_parent(GaUpload *upload, GError **error)
{
    if (upload->parent < 0)
        upload->parent = ga_place_find_parent(upload->place, &upload->name, error);
    return upload->parent >= 0;
}

static gboolean
is_ours(const GaUpload *upload, const struct stat *status)
{
    return S_ISREG(status->st_mode) && status->st_dev == upload->record->device &&
           status->st_ino == upload->record->inode;
}

static gboolean
look(GaUpload *upload, struct stat *ret_status, GError **error)
{
    if (!find_parent(upload, error))
        return FALSE;
    if (fstatat(upload->parent, upload->temporary, ret_status, AT_SYMLINK_NOFOLLOW) == 0 &&
        is_ours(upload, ret_status))
        return TRUE;
    ga_refuse(error, GA_REFUSAL_NOT_FOUND, "upload %s was committed, or is gone", upload->id);
    return FALSE;
}

gboolean
ga_upload_size(GaUpload *upload, guint64 *ret_size, GError **error)
{
    struct stat status;

    if (!look(upload, &status, error))
        return FALSE;
    *ret_size = ga_upload_is_of_another_boot(upload) ? 0 : (guint64)status.st_size;
    return TRUE;
}

gboolean
ga_upload_open(GaUpload *upload, GError **error)
{
    struct stat status;

    if (!look(upload, &status, error))
        return FALSE;
    upload->fd = openat(upload->parent, upload->temporary,
                        O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (upload->fd < 0) {
        ga_refuse_errno(error, errno, "upload %s", upload->id);
        return FALSE;
    }
    if (flock(upload->fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
        ga_refuse(error, GA_REFUSAL_BUSY, "upload %s is being written to or committed", upload->id);
        return FALSE;
    }
    /* Who had the lock before may have renamed it: then it is nobody's to be written to. */
    if (!look(upload, &status, error))
        return FALSE;
    if (fstat(upload->fd, &status) == 0 && is_ours(upload, &status))
        return TRUE;
    ga_refuse(error, GA_REFUSAL_NOT_FOUND, "upload %s is gone", upload->id);
    return FALSE;
}

static char *
boot_id(void)
{
    char *id = os_boot_id();

    return id ? id : g_strdup("");
}

gboolean
ga_upload_is_of_another_boot(const GaUpload *upload)
{
    g_autofree char *boot = boot_id();

    return strcmp(boot, upload->record->boot) != 0;
}

/* Beginning */

/* What has the name is left over from one that was cut short before its record was there. */
static gboolean
create(const char *folder, GaUpload *upload, GError **error)
{
    struct stat status;

    if (!find_parent(upload, error))
        return FALSE;
    unlinkat(upload->parent, upload->temporary, 0);
    upload->fd = openat(upload->parent, upload->temporary,
                        O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, GA_UPLOAD_MODE);
    if (upload->fd < 0 || fstat(upload->fd, &status) < 0) {
        ga_refuse_errno(error, errno, "'%s'", upload->record->path);
        return FALSE;
    }
    upload->record->device = status.st_dev;
    upload->record->inode = status.st_ino;
    upload->record->begun_ns = now_ns();
    g_free(upload->record->boot);
    upload->record->boot = boot_id();
    if (save(folder, upload, error))
        return TRUE;
    unlinkat(upload->parent, upload->temporary, 0);
    return FALSE;
}

static gboolean
is_past(gint64 time_ns)
{
    return now_ns() - time_ns > AGE_MAX_NS;
}

/* The file is only looked for, and a disk waited for, when the upload can be that old. */
static gboolean
is_left_behind(GaUpload *upload)
{
    struct stat status;

    return is_past(upload->record->begun_ns) &&
           (!look(upload, &status, NULL) || is_past(ga_file_modified(&status)));
}

/* FALSE: it stays. */
static gboolean
expire(const char *folder, GaUpload *upload)
{
    g_autoptr(GError) reason = NULL;

    if (!is_left_behind(upload))
        return FALSE;
    if (ga_upload_open(upload, &reason))
        unlinkat(upload->parent, upload->temporary, 0);
    else if (ga_refusal_of(reason) == GA_REFUSAL_BUSY) /* being committed */
        return FALSE;
    ga_upload_forget(folder, upload);
    return TRUE;
}

/* One that cannot be read, as after a crash of the guest, has only its own age. */
static gboolean
expire_record(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    struct stat status;

    if (stat(path, &status) < 0)
        return errno == ENOENT; /* committed meanwhile */
    return is_past(ga_file_modified(&status)) && g_unlink(path) == 0;
}

/* Room for one more; what is too old goes. */
static gboolean
make_room(const char *folder, GError **error)
{
    g_autoptr(GDir) directory = g_dir_open(folder, 0, NULL);
    guint n_uploads = 0;
    const char *name;

    while (directory && (name = g_dir_read_name(directory))) {
        if (!g_str_has_suffix(name, SUFFIX))
            continue;
        g_autofree char *id = g_strndup(name, strlen(name) - strlen(SUFFIX));
        g_autoptr(GaUpload) upload = ga_upload_find(folder, id, NULL);
        if (!(upload ? expire(folder, upload) : expire_record(folder, name)))
            n_uploads++;
    }
    if (n_uploads < GA_UPLOADS_MAX)
        return TRUE;
    ga_refuse(error, GA_REFUSAL_BUSY, "%u uploads are under way", n_uploads);
    return FALSE;
}

static GaUpload *
begin_new(const char *folder, const char *id, const GaPlace *place, GError **error)
{
    if (g_mkdir_with_parents(folder, 0700) < 0) {
        ga_refuse_errno(error, errno, "'%s'", folder);
        return NULL;
    }
    if (!make_room(folder, error))
        return NULL;

    NovacronFileUploadRecord *record = g_new0(NovacronFileUploadRecord, 1);
    record->path = g_strdup(place->path);
    record->root = g_strdup(place->root);
    record->how = place->how;
    g_autoptr(GaUpload) upload = upload_new(id, record);
    return create(folder, upload, error) ? g_steal_pointer(&upload) : NULL;
}

static gboolean
is_same_place(const GaPlace *one, const GaPlace *other)
{
    return strcmp(one->path, other->path) == 0 && g_strcmp0(one->root, other->root) == 0 &&
           one->how == other->how;
}

GaUpload *
ga_upload_begin(const char *folder, const char *id, const GaPlace *place, GError **error)
{
    g_autoptr(GaUpload) upload = ga_upload_find(folder, id, NULL);
    struct stat status;

    if (!upload)
        return begin_new(folder, id, place, error);
    if (!is_same_place(upload->place, place)) {
        ga_refuse(error, GA_REFUSAL_BUSY, "upload %s is one to '%s'", id, upload->place->path);
        return NULL;
    }
    if (!ga_upload_is_of_another_boot(upload) && look(upload, &status, NULL))
        return g_steal_pointer(&upload);
    return create(folder, upload, error) ? g_steal_pointer(&upload) : NULL;
}
