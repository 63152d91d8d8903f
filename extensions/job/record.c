/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records: FOLDER/ID.json. */
#include "extensions/job/record.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#include "core/refusal.h"
#include "platform/durable.h"
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

char *
ga_record_text(const NovacronJob *job, const char *result)
{
    QapiAny any = { .text = (char *)(gsize)result };
    NovacronJobRecord record = { .job = (NovacronJob *)(gsize)job, .result = result ? &any : NULL };
    g_autoptr(QapiWriter) writer = qapi_writer_new();

    qapi_write_struct(writer, &novacron_job_record_type, &record);
    qapi_writer_raw(writer, "\n");
    return qapi_writer_to_text(writer, NULL);
}

gboolean
ga_record_write(const char *folder, const char *id, const char *text, GError **error)
{
    g_autofree char *path = path_of(folder, id, SUFFIX);

    if (g_mkdir_with_parents(folder, 0700) == 0 && os_durable_write(path, text, strlen(text)))
        return TRUE;
    ga_refuse_errno(error, errno, "the record of the job cannot be written to %s", folder);
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
