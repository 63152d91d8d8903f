/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * novacron-file-upload-commit: a job that reads the temporary file back, sends it to the disk on
 * the way, and lets it take its target's place. The rename is the one moment at which anything
 * changes for others; all that can fail comes before it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/account.h"
#include "core/agent.h"
#include "file/attributes.h"
#include "file/hash.h"
#include "file/security.h"
#include "file/steps.h"
#include "file/upload.h"
#include "gen/file-commands.h"

/* Of a new file for which nothing else was said. */
#define MODE_DEFAULT 0600

typedef struct {
    char *folder;
    char *id;
    guint64 size;
    char *sha256; /* NULL: any */
    GaAttributes attributes;
    gboolean replace;
    GaUpload *upload; /* NULL: not begun */
    guint mode;
    guint32 uid, gid;
    GaSecurity security;
    gboolean has_old; /* a file is replaced */
    GaHash hash;
    NovacronFileDigest digest;
} Work;

static void
work_free(gpointer data)
{
    Work *work = data;

    ga_hash_clear(&work->hash);
    ga_upload_free(work->upload);
    ga_attributes_clear(&work->attributes);
    ga_security_clear(&work->security);
    g_free(work->folder);
    g_free(work->id);
    g_free(work->sha256);
    g_free(work->digest.sha256);
    g_free(work);
}

/* What the client has said, otherwise what the file has that is to be replaced. A mode that was
 * said is all of the permissions: beside an ACL it would be no more than a bound. */
static gboolean
choose_attributes(Work *work, GError **error)
{
    const GaUpload *upload = work->upload;
    struct stat old;
    g_auto(GaFd) fd = openat(upload->parent, upload->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    gboolean has_old = fd >= 0 && fstat(fd, &old) == 0 && S_ISREG(old.st_mode);

    work->mode = has_old ? old.st_mode & 07777 : MODE_DEFAULT;
    if ((work->attributes.mode && !ga_mode_parse(work->attributes.mode, &work->mode, error)) ||
        !ga_owner_find(&work->attributes, &work->uid, &work->gid, error))
        return FALSE;
    if (has_old && work->uid == GA_ID_SAME)
        work->uid = old.st_uid;
    if (has_old && work->gid == GA_ID_SAME)
        work->gid = old.st_gid;
    if (has_old && !ga_security_read(&work->security, fd)) {
        ga_refuse_errno(error, errno, "ACL and label of '%s'", upload->record->path);
        return FALSE;
    }
    if (work->attributes.mode)
        g_clear_pointer(&work->security.acl, g_bytes_unref);
    work->has_old = has_old;
    return TRUE;
}

static gboolean
begin(Work *work, GError **error)
{
    guint64 size;

    work->upload = ga_upload_find(work->folder, work->id, error);
    if (!work->upload)
        return FALSE;
    if (ga_upload_is_of_another_boot(work->upload)) {
        ga_refuse(error, GA_REFUSAL_INTERRUPTED, "the guest was restarted, begin again");
        return FALSE;
    }
    if (!ga_upload_open(work->upload, error) || !ga_upload_size(work->upload, &size, error) ||
        !choose_attributes(work, error))
        return FALSE;
    if (size != work->size) {
        ga_refuse(error, GA_REFUSAL_BAD_VALUE,
                  "upload %s has %" G_GUINT64_FORMAT " bytes, not %" G_GUINT64_FORMAT, work->id,
                  size, work->size);
        return FALSE;
    }
    ga_hash_init(&work->hash, work->upload->fd, 0, size);
    return TRUE;
}

/* FALSE and errno. */
static gboolean
sync_parent(gint parent)
{
    g_auto(GaFd) fd = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    /* Some file systems cannot sync a folder, and say so. */
    return fd >= 0 && (fsync(fd) == 0 || errno == EINVAL);
}

/* Again for nobody else to see. */
static void
close_off(const Work *work)
{
    static const GaSecurity none = { 0 };
    const GaUpload *upload = work->upload;

    if (fchown(upload->fd, geteuid(), getegid()) < 0 || fchmod(upload->fd, GA_UPLOAD_MODE) < 0 ||
        (work->has_old && !ga_security_give_acl(&none, upload->fd)))
        g_warning("upload %s stays readable: %s", upload->id, g_strerror(errno));
}

/* In this order: chown() takes bits from the mode, and an ACL sets most of it. */
static gboolean
set_attributes(const Work *work, GError **error)
{
    GaFd fd = work->upload->fd;
    const char *what = NULL;

    if (fchown(fd, work->uid, work->gid) < 0)
        what = "owner";
    else if (!ga_security_give_label(&work->security, fd))
        what = "SELinux label";
    else if (work->has_old && !ga_security_give_acl(&work->security, fd))
        what = "ACL";
    else if (fchmod(fd, work->mode) < 0)
        what = "permissions";
    if (what)
        ga_refuse_errno(error, errno, "%s of '%s'", what, work->upload->record->path);
    return !what;
}

static gboolean
move(const Work *work, GError **error)
{
    const GaUpload *upload = work->upload;

    if (fsync(upload->fd) == 0 &&
        renameat2(upload->parent, upload->temporary, upload->parent, upload->name,
                  work->replace ? 0 : RENAME_NOREPLACE) == 0)
        return TRUE;
    ga_refuse_errno(error, errno, "'%s'", upload->record->path);
    return FALSE;
}

static gboolean
take_place(const Work *work, GError **error)
{
    if (set_attributes(work, error) && move(work, error))
        return TRUE;
    close_off(work);
    return FALSE;
}

static GaStep
finish(Work *work, GError **error)
{
    const char *digest = ga_hash_text(&work->hash);
    const char *path = work->upload->record->path;

    if (work->sha256 && g_ascii_strcasecmp(digest, work->sha256) != 0) {
        ga_refuse(error, GA_REFUSAL_BAD_VALUE, "upload %s has the sha256 %s", work->id, digest);
        return GA_STEP_FAILED;
    }
    if (!take_place(work, error))
        return GA_STEP_FAILED;
    if (!sync_parent(work->upload->parent))
        g_warning("failed to sync the folder of %s: %s", path, g_strerror(errno));
    ga_upload_forget(work->folder, work->upload);
    work->digest.sha256 = g_strdup(digest);
    work->digest.size_bytes = work->hash.at;
    return GA_STEP_DONE;
}

static GaStep
step(gpointer data, GaStepProgress *progress, GError **error)
{
    Work *work = data;

    if (!work->upload && !begin(work, error))
        return GA_STEP_FAILED;

    guint64 from = work->hash.at;
    GaStep outcome = ga_hash_step(&work->hash, work->id, error);
    if (outcome == GA_STEP_FAILED)
        return outcome;
    /* Bit by bit, or all of it would be waited for in one step at the end. */
    sync_file_range(work->upload->fd, (goffset)from, (goffset)(work->hash.at - from),
                    SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
                        SYNC_FILE_RANGE_WAIT_AFTER);
    *progress = (GaStepProgress){ work->hash.at, work->size, "verify" };
    return outcome == GA_STEP_DONE ? finish(work, error) : outcome;
}

static gconstpointer
result(gpointer data)
{
    const Work *work = data;

    return &work->digest;
}

void
novacron_file_upload_commit(GaCall *call, const NovacronFileUploadCommitArgs *args)
{
    static const GaStepsClass class = { .step = step, .result = result, .free = work_free };
    static const GaJobKind kind = { .command = "novacron-file-upload-commit",
                                    .unit = "bytes",
                                    .result = &novacron_file_digest_type,
                                    .changes_guest = TRUE,
                                    .begin = ga_steps_begin,
                                    .cancel = ga_steps_cancel,
                                    .free = ga_steps_free };
    GaAgent *agent = ga_call_agent(call);
    GError *error = NULL;

    ga_account(ga_agent_account(agent), "novacron-file-upload-commit",
               "novacron-file-upload-commit called, id: %s", args->id);
    if (!ga_upload_check_id(args->id, &error)) {
        ga_call_fail(call, error);
        return;
    }
    Work *work = g_new0(Work, 1);
    work->folder = g_build_filename(ga_config_data_directory(ga_agent_config(agent)), "uploads",
                                    NULL);
    work->id = g_strdup(args->id);
    work->size = args->size_bytes;
    work->sha256 = g_strdup(args->sha256);
    ga_attributes_init(&work->attributes, args->mode, args->user, args->group);
    work->replace = !args->has_replace || args->replace;
    ga_steps_start(call, &kind, &class, args->request_id, work);
}
