/* SPDX-License-Identifier: GPL-2.0-or-later */
/* novacron-file-digest. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "core/account.h"
#include "core/agent.h"
#include "file/hash.h"
#include "file/place.h"
#include "file/steps.h"
#include "gen/file-commands.h"

typedef struct {
    GaPlace *place;
    GaFd fd; /* -1: not open yet */
    GaHash hash;
    guint64 offset, count;
    guint64 total; /* as far as is known */
    NovacronFileDigest digest;
} Work;

static void
work_free(gpointer data)
{
    Work *work = data;

    ga_hash_clear(&work->hash);
    if (work->fd >= 0)
        ga_fd_close(work->fd);
    ga_place_free(work->place);
    g_free(work->digest.sha256);
    g_free(work);
}

static gboolean
open_file(Work *work, GError **error)
{
    struct stat status;

    work->fd = ga_place_open(work->place, O_RDONLY, error);
    if (work->fd < 0)
        return FALSE;
    if (fstat(work->fd, &status) < 0) {
        ga_refuse_errno(error, errno, "'%s'", work->place->path);
        return FALSE;
    }

    guint64 size = (guint64)status.st_size;
    work->total = size > work->offset ? MIN(size - work->offset, work->count) : 0;
    ga_hash_init(&work->hash, work->fd, work->offset, work->offset + work->count);
    return TRUE;
}

static GaStep
step(gpointer data, GaStepProgress *progress, GError **error)
{
    Work *work = data;

    if (work->fd < 0 && !open_file(work, error))
        return GA_STEP_FAILED;

    GaStep outcome = ga_hash_step(&work->hash, work->place->path, error);
    guint64 done = work->hash.at - work->offset;
    *progress = (GaStepProgress){ done, MAX(work->total, done), NULL };
    if (outcome == GA_STEP_DONE) {
        work->digest.sha256 = g_strdup(ga_hash_text(&work->hash));
        work->digest.size_bytes = done;
    }
    return outcome;
}

static gconstpointer
result(gpointer data)
{
    const Work *work = data;

    return &work->digest;
}

void
novacron_file_digest(GaCall *call, const NovacronFileDigestArgs *args)
{
    static const GaStepsClass class = { .step = step, .result = result, .free = work_free };
    static const GaJobKind kind = { .command = "novacron-file-digest",
                                    .area = "file",
                                    .unit = "bytes",
                                    .result = &novacron_file_digest_type,
                                    .begin = ga_steps_begin,
                                    .cancel = ga_steps_cancel,
                                    .free = ga_steps_free };
    GError *error = NULL;
    guint64 offset = args->has_offset ? args->offset : 0;
    GaPlace *place = NULL;

    ga_account(ga_agent_account(ga_call_agent(call)), "novacron-file-digest",
               "novacron-file-digest called, path: %s", args->path);
    if (offset > G_MAXINT64)
        ga_refuse(&error, GA_REFUSAL_BAD_VALUE, "no file is as long as that");
    else
        place = ga_place_new(args->path, args->resolve, &error);
    if (!place) {
        ga_call_fail(call, error);
        return;
    }
    Work *work = g_new0(Work, 1);
    work->place = place;
    work->fd = -1;
    work->offset = offset;
    work->count = G_MAXINT64 - offset;
    if (args->has_count)
        work->count = MIN(work->count, args->count);
    ga_steps_start(call, &kind, &class, args->request_id, work);
}
