/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * novacron-file-remove-tree. Every folder on the way down is held open and what is in it is
 * removed by name in it, so that nobody can lead the walk elsewhere by exchanging a folder for a
 * link.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/account.h"
#include "core/agent.h"
#include "file/place.h"
#include "file/steps.h"
#include "gen/file-commands.h"

/* Of folders in each other: each is a descriptor. */
#define DEPTH_MAX 256

/* A folder into which somebody else goes on writing is looked through so often. */
#define PASSES_MAX 8

typedef struct {
    DIR *directory;
    char *name; /* in the folder above */
    dev_t device;
    guint n_passes;
} Level;

typedef struct {
    GaPlace *place;
    GaFd parent; /* -1: not begun */
    GPtrArray *levels;
    NovacronFileRemoved removed;
} Work;

static void
level_free(gpointer data)
{
    Level *level = data;

    closedir(level->directory);
    g_free(level->name);
    g_free(level);
}

static void
work_free(gpointer data)
{
    Work *work = data;

    g_ptr_array_free(work->levels, TRUE);
    if (work->parent >= 0)
        ga_fd_close(work->parent);
    ga_place_free(work->place);
    g_free(work);
}

static Level *
top_of(const Work *work)
{
    return work->levels->len > 0 ? work->levels->pdata[work->levels->len - 1] : NULL;
}

/* The folder that the level of this number stands in. */
static gint
folder_above(const Work *work, guint number)
{
    const Level *above = number > 0 ? work->levels->pdata[number - 1] : NULL;

    return above ? dirfd(above->directory) : work->parent;
}

/* A mount of the same file system elsewhere has the same device: the kernel is asked first. */
static GaFd
open_folder(gint above, const char *name)
{
    struct open_how how = { .flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
                            .resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS };
    gint fd = (gint)syscall(SYS_openat2, above, name, &how, sizeof how);

    if (fd >= 0 || (errno != ENOSYS && errno != EAGAIN && errno != EPERM))
        return fd;
    return openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static gboolean
fail(const Work *work, const char *name, gint number, GError **error)
{
    if (number == EXDEV)
        ga_refuse(error, GA_REFUSAL_BUSY, "'%s' below '%s' is a mount", name, work->place->path);
    else
        ga_refuse_errno(error, number, "'%s' below '%s'", name, work->place->path);
    return FALSE;
}

static gboolean
push(Work *work, const char *name, GError **error)
{
    const Level *above = top_of(work);
    struct stat status;

    if (work->levels->len >= DEPTH_MAX) {
        ga_refuse(error, GA_REFUSAL_BUDGET, "'%s' is more than %d folders deep", work->place->path,
                  DEPTH_MAX);
        return FALSE;
    }
    GaFd fd = open_folder(folder_above(work, work->levels->len), name);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (!directory) {
        gint number = errno;
        if (fd >= 0)
            ga_fd_close(fd);
        return fail(work, name, number, error);
    }

    Level *level = g_new(Level, 1);
    *level = (Level){ directory, g_strdup(name), 0, 0 };
    if (fstat(fd, &status) < 0 || (above && above->device != status.st_dev)) {
        level_free(level);
        return fail(work, name, EXDEV, error);
    }
    level->device = status.st_dev;
    g_ptr_array_add(work->levels, level);
    return TRUE;
}

/* The folder was looked through. */
static gboolean
pop(Work *work, GError **error)
{
    guint number = work->levels->len - 1;
    Level *level = top_of(work);

    if (unlinkat(folder_above(work, number), level->name, AT_REMOVEDIR) == 0) {
        work->removed.count++;
        g_ptr_array_remove_index(work->levels, number);
        return TRUE;
    }
    if (errno != ENOTEMPTY || ++level->n_passes >= PASSES_MAX)
        return fail(work, level->name, errno, error);
    rewinddir(level->directory);
    return TRUE;
}

static gboolean
remove_entry(Work *work, const char *name, GError **error)
{
    gint folder = dirfd(top_of(work)->directory);
    struct stat status;

    if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT || fail(work, name, errno, error);
    if (S_ISDIR(status.st_mode))
        return push(work, name, error);
    if (unlinkat(folder, name, 0) < 0 && errno != ENOENT)
        return fail(work, name, errno, error);
    work->removed.count++;
    return TRUE;
}

static gboolean
remove_next(Work *work, GError **error)
{
    Level *level = top_of(work);

    errno = 0;
    const struct dirent *entry = readdir(level->directory);
    if (!entry)
        return errno ? fail(work, level->name, errno, error) : pop(work, error);
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
        return TRUE;
    return remove_entry(work, entry->d_name, error);
}

static gboolean
begin(Work *work, GError **error)
{
    const char *name;

    work->parent = ga_place_find_parent(work->place, &name, error);
    return work->parent >= 0 && push(work, name, error);
}

static GaStep
step(gpointer data, GaStepProgress *progress, GError **error)
{
    Work *work = data;
    gint64 end = g_get_monotonic_time() + GA_STEP_US;

    if (work->parent < 0 && !begin(work, error))
        return GA_STEP_FAILED;
    while (work->levels->len > 0 && g_get_monotonic_time() < end)
        if (!remove_next(work, error))
            return GA_STEP_FAILED;
    *progress = (GaStepProgress){ work->removed.count, 0, NULL };
    return work->levels->len > 0 ? GA_STEP_MORE : GA_STEP_DONE;
}

static gconstpointer
result(gpointer data)
{
    const Work *work = data;

    return &work->removed;
}

void
novacron_file_remove_tree(GaCall *call, const NovacronFileRemoveTreeArgs *args)
{
    static const GaStepsClass class = {
        .step = step, .result = result, .is_partial = TRUE, .free = work_free
    };
    static const GaJobKind kind = { .command = "novacron-file-remove-tree",
                                    .area = "file",
                                    .unit = "names",
                                    .result = &novacron_file_removed_type,
                                    .changes_guest = TRUE,
                                    .begin = ga_steps_begin,
                                    .cancel = ga_steps_cancel,
                                    .free = ga_steps_free };
    GError *error = NULL;
    GaPlace *place = ga_place_new(args->path, args->resolve, &error);

    ga_account(ga_agent_account(ga_call_agent(call)), "novacron-file-remove-tree",
               "novacron-file-remove-tree called, path: %s", args->path);
    if (!place) {
        ga_call_fail(call, error);
        return;
    }
    Work *work = g_new0(Work, 1);
    work->place = place;
    work->parent = -1;
    work->levels = g_ptr_array_new_with_free_func(level_free);
    ga_steps_start(call, &kind, &class, args->request_id, work);
}
