/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records: FOLDER/ID.json, written to a temporary file that is synced and renamed, then
 * the folder is synced: what a crash leaves is the old record or the new one.
 */
#include "extensions/job/record.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "core/refusal.h"
#include "runtime/qapi-parse.h"
#include "runtime/qapi-read.h"
#include "runtime/qapi-write.h"

#define SUFFIX ".json"

/* A record has a result of at most 1 MiB; another file of that name is not ours. */
#define FILE_MAX (2 * 1024 * 1024)

static char *
path_of(const char *folder, const char *id, const char *suffix)
{
    return g_strdup_printf("%s/%s%s", folder, id, suffix);
}

static char *
text_of(const NovacronJob *job, const char *result, gsize *ret_size)
{
    QapiAny any = { .text = (char *)(gsize)result };
    NovacronJobRecord record = { .job = (NovacronJob *)(gsize)job, .result = result ? &any : NULL };
    g_autoptr(QapiWriter) writer = qapi_writer_new();

    qapi_write_struct(writer, &novacron_job_record_type, &record);
    qapi_writer_raw(writer, "\n");
    return qapi_writer_to_text(writer, ret_size);
}

static gboolean
write_all(gint fd, const char *text, gsize size)
{
    while (size > 0) {
        gssize written = write(fd, text, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return FALSE;
        text += written;
        size -= (gsize)written;
    }
    return fsync(fd) == 0;
}

/* FALSE and errno. */
static gboolean
write_file(const char *path, const char *text, gsize size)
{
    gint fd = g_open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return FALSE;

    gboolean is_written = write_all(fd, text, size);
    gint number = errno;
    close(fd);
    errno = number;
    return is_written;
}

static gboolean
sync_folder(const char *folder)
{
    gint fd = g_open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0)
        return FALSE;

    gboolean is_synced = fsync(fd) == 0;
    close(fd);
    return is_synced;
}

gboolean
ga_record_write(const char *folder, const NovacronJob *job, const char *result, GError **error)
{
    gsize size;
    g_autofree char *text = text_of(job, result, &size);
    g_autofree char *path = path_of(folder, job->id, SUFFIX);
    g_autofree char *temporary = path_of(folder, job->id, ".new");

    if (g_mkdir_with_parents(folder, 0700) == 0 && write_file(temporary, text, size) &&
        g_rename(temporary, path) == 0 && sync_folder(folder))
        return TRUE;
    ga_refuse_errno(error, errno, "the record of the job cannot be written to %s", folder);
    g_unlink(temporary);
    return FALSE;
}

void
ga_record_remove(const char *folder, const char *id)
{
    g_autofree char *path = path_of(folder, id, SUFFIX);

    if (g_unlink(path) != 0 && errno != ENOENT)
        g_warning("failed to remove %s: %s", path, g_strerror(errno));
}

static NovacronJobRecord *
parse(const char *text, gsize size, GError **error)
{
    g_autoptr(QapiValue) value = qapi_parse(text, size, error);
    g_autoptr(NovacronJobRecord) record = g_new0(NovacronJobRecord, 1);

    if (!value || !qapi_read_struct(&novacron_job_record_type, value, qapi_value_root(value),
                                    QAPI_READ_COPY, record, error))
        return NULL;
    return g_steal_pointer(&record);
}

static NovacronJobRecord *
read_one(const char *folder, const char *name)
{
    g_autofree char *path = path_of(folder, name, "");
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    GStatBuf status;
    gsize size;

    if (g_lstat(path, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size > FILE_MAX)
        return NULL;
    NovacronJobRecord *record = g_file_get_contents(path, &text, &size, &error)
                                    ? parse(text, size, &error)
                                    : NULL;
    if (!record)
        g_warning("%s is not the record of a job: %s", path, error->message);
    return record;
}

static gint
compare_records(gconstpointer a, gconstpointer b)
{
    const NovacronJobRecord *one = *(NovacronJobRecord *const *)a;
    const NovacronJobRecord *other = *(NovacronJobRecord *const *)b;

    return one->job->created_ns < other->job->created_ns
               ? -1
               : one->job->created_ns > other->job->created_ns;
}

GPtrArray *
ga_record_read_all(const char *folder)
{
    GPtrArray *records = g_ptr_array_new();
    g_autoptr(GDir) directory = g_dir_open(folder, 0, NULL);
    const char *name;

    while (directory && (name = g_dir_read_name(directory))) {
        NovacronJobRecord *record = g_str_has_suffix(name, SUFFIX) ? read_one(folder, name) : NULL;

        if (record)
            g_ptr_array_add(records, record);
    }
    g_ptr_array_sort(records, compare_records);
    return records;
}
