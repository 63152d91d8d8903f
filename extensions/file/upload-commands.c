/* SPDX-License-Identifier: GPL-2.0-or-later */
/* novacron-file-upload-begin, -write, -status and -abort. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/account.h"
#include "core/agent.h"
#include "core/refusal.h"
#include "core/work.h"
#include "file/piece.h"
#include "file/upload.h"
#include "gen/file-commands.h"

typedef struct {
    char *folder;
    char *id;
    GaPlace *place; /* of one that begins */
    GaPiece piece;  /* that is written */
} Work;

static Work *
work_new(const GaCall *call, const char *id)
{
    Work *work = g_new0(Work, 1);

    work->folder = g_build_filename(ga_config_data_directory(ga_agent_config(ga_call_agent(call))),
                                    "uploads", NULL);
    work->id = g_strdup(id);
    return work;
}

static void
work_free(gpointer data)
{
    Work *work = data;

    ga_place_free(work->place);
    ga_piece_clear(&work->piece);
    g_free(work->folder);
    g_free(work->id);
    g_free(work);
}

static NovacronFileUpload *
describe(GaUpload *upload, GError **error)
{
    guint64 size;

    if (!ga_upload_size(upload, &size, error))
        return NULL;
    NovacronFileUpload *description = g_new0(NovacronFileUpload, 1);
    description->id = g_strdup(upload->id);
    description->path = g_strdup(upload->record->path);
    description->size_bytes = size;
    return description;
}

static gpointer
begin(gpointer data, GError **error)
{
    const Work *work = data;
    g_autoptr(GaUpload) upload = ga_upload_begin(work->folder, work->id, work->place, error);

    return upload ? describe(upload, error) : NULL;
}

static gpointer
tell(gpointer data, GError **error)
{
    const Work *work = data;
    g_autoptr(GaUpload) upload = ga_upload_find(work->folder, work->id, error);

    return upload ? describe(upload, error) : NULL;
}

static gpointer
write_piece(gpointer data, GError **error)
{
    Work *work = data;
    struct stat status;
    g_autoptr(GaUpload) upload = ga_upload_find(work->folder, work->id, error);

    if (!upload || !ga_piece_decode(&work->piece, error))
        return NULL;
    if (ga_upload_is_of_another_boot(upload)) {
        ga_refuse(error, GA_REFUSAL_INTERRUPTED, "the guest was restarted, begin again");
        return NULL;
    }
    if (!ga_upload_open(upload, error) ||
        !ga_piece_write(&work->piece, upload->fd, upload->record->path, error))
        return NULL;
    if (fstat(upload->fd, &status) < 0) {
        ga_refuse_errno(error, errno, "upload %s", work->id);
        return NULL;
    }
    NovacronFileWritten *written = g_new(NovacronFileWritten, 1);
    written->size_bytes = (guint64)status.st_size;
    return written;
}

/* A record whose temporary file is gone goes as well. */
static gpointer
give_up(gpointer data, GError **error)
{
    const Work *work = data;
    g_autoptr(GError) reason = NULL;
    g_autoptr(GaUpload) upload = ga_upload_find(work->folder, work->id, NULL);

    if (!upload)
        return NULL;
    if (ga_upload_open(upload, &reason))
        unlinkat(upload->parent, upload->temporary, 0);
    else if (ga_refusal_of(reason) != GA_REFUSAL_NOT_FOUND) {
        g_propagate_error(error, g_steal_pointer(&reason));
        return NULL;
    }
    ga_upload_forget(work->folder, upload);
    return NULL;
}

void
novacron_file_upload_begin(GaCall *call, const NovacronFileUploadBeginArgs *args)
{
    GError *error = NULL;
    GaPlace *place = ga_upload_check_id(args->id, &error)
                         ? ga_place_new(args->path, args->resolve, &error)
                         : NULL;

    ga_account(ga_agent_account(ga_call_agent(call)), "novacron-file-upload-begin",
               "novacron-file-upload-begin called, id: %s, path: %s", args->id, args->path);
    if (!place) {
        ga_call_fail(call, error);
        return;
    }
    Work *work = work_new(call, args->id);
    work->place = place;
    ga_work_run(call, begin, work, work_free);
}

void
novacron_file_upload_write(GaCall *call, const NovacronFileUploadWriteArgs *args)
{
    GError *error = NULL;
    GaPiece piece;

    ga_account(ga_agent_account(ga_call_agent(call)), "novacron-file-upload-write",
               "novacron-file-upload-write called, id: %s, offset: %" G_GUINT64_FORMAT, args->id,
               args->offset);
    if (!ga_upload_check_id(args->id, &error) ||
        !ga_piece_init(&piece, args->offset, args->buf_b64,
                       args->has_hole_bytes ? &args->hole_bytes : NULL, args->sha256, &error)) {
        ga_call_fail(call, error);
        return;
    }
    Work *work = work_new(call, args->id);
    work->piece = piece;
    ga_work_run(call, write_piece, work, work_free);
}

static void
start(GaCall *call, const char *id, GaWorkFunc func)
{
    GError *error = NULL;

    if (ga_upload_check_id(id, &error))
        ga_work_run(call, func, work_new(call, id), work_free);
    else
        ga_call_fail(call, error);
}

void
novacron_file_upload_status(GaCall *call, const NovacronFileUploadStatusArgs *args)
{
    start(call, args->id, tell);
}

void
novacron_file_upload_abort(GaCall *call, const NovacronFileUploadAbortArgs *args)
{
    ga_account(ga_agent_account(ga_call_agent(call)), "novacron-file-upload-abort",
               "novacron-file-upload-abort called, id: %s", args->id);
    start(call, args->id, give_up);
}
