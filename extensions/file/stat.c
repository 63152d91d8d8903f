/* SPDX-License-Identifier: GPL-2.0-or-later */
/* novacron-file-stat. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/area.h"
#include "core/refusal.h"
#include "core/work.h"
#include "file/place.h"
#include "file/status.h"
#include "gen/file-commands.h"

/* A name and a home; who has more is told by number. */
#define ENTRY_MAX 8192

#define NS_PER_S G_GINT64_CONSTANT(1000000000)

typedef struct {
    GaPlace *place;
    gboolean follow;
} Question;

void
ga_probe_file(G_GNUC_UNUSED GaAgent *agent, G_GNUC_UNUSED GaAreaReport *report)
{
}

static char *
name_of_user(uid_t uid)
{
    char buffer[ENTRY_MAX];
    struct passwd entry, *found = NULL;

    return getpwuid_r(uid, &entry, buffer, sizeof buffer, &found) == 0 && found
               ? g_strdup(found->pw_name)
               : NULL;
}

static char *
name_of_group(gid_t gid)
{
    char buffer[ENTRY_MAX];
    struct group entry, *found = NULL;

    return getgrgid_r(gid, &entry, buffer, sizeof buffer, &found) == 0 && found
               ? g_strdup(found->gr_name)
               : NULL;
}

static char *
target_of(GaFd fd)
{
    char target[PATH_MAX];
    gssize length = readlinkat(fd, "", target, sizeof target);

    return length < 0 ? NULL : g_strndup(target, (gsize)length);
}

static NovacronFileStatus *
describe(GaFd fd, const struct stat *status)
{
    NovacronFileStatus *result = g_new0(NovacronFileStatus, 1);

    result->type = ga_file_type(status->st_mode);
    result->size_bytes = (guint64)status->st_size;
    result->allocated_bytes = (guint64)status->st_blocks * 512;
    result->mode = ga_file_mode(status->st_mode);
    result->uid = status->st_uid;
    result->gid = status->st_gid;
    result->user = name_of_user(status->st_uid);
    result->group = name_of_group(status->st_gid);
    result->links = status->st_nlink;
    result->device = status->st_dev;
    result->inode = status->st_ino;
    result->accessed_ns = status->st_atim.tv_sec * NS_PER_S + status->st_atim.tv_nsec;
    result->modified_ns = ga_file_modified(status);
    result->changed_ns = status->st_ctim.tv_sec * NS_PER_S + status->st_ctim.tv_nsec;
    if (S_ISLNK(status->st_mode))
        result->target = target_of(fd);
    result->version = ga_file_version(status);
    return result;
}

static gpointer
ask(gpointer data, GError **error)
{
    const Question *question = data;
    struct stat status;
    g_auto(GaFd) fd = ga_place_find(question->place, question->follow, error);

    if (fd < 0)
        return NULL;
    if (fstat(fd, &status) < 0) {
        ga_refuse_errno(error, errno, "'%s'", question->place->path);
        return NULL;
    }
    return describe(fd, &status);
}

static void
question_free(gpointer data)
{
    Question *question = data;

    ga_place_free(question->place);
    g_free(question);
}

void
novacron_file_stat(GaCall *call, const NovacronFileStatArgs *args)
{
    GError *error = NULL;
    GaPlace *place = ga_place_new(args->path, args->resolve, &error);

    if (!place) {
        ga_call_fail(call, error);
        return;
    }
    Question *question = g_new(Question, 1);
    *question = (Question){ place, !args->has_follow || args->follow };
    ga_work_run(call, ask, question, question_free);
}
