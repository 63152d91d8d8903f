/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Freezing by FIFREEZE. Upstream goes through the mounts backwards, one by one, and
 * writers to the first wait until the last is frozen; here all go at once, but for
 * stacks of loop devices, which go from the top down (linux/stack.h). What is synced
 * just before is not written while writers already wait.
 *
 * File systems in user space cannot be frozen. They are not even opened, as a server
 * that hangs would keep us.
 */
#include "platform/freeze.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "linux/guardian-process.h"
#include "linux/mounts.h"
#include "linux/stack.h"
#include "runtime/qapi-error.h"

#define SYSFS "/sys"

/* Disks work better with some requests at hand, but a guest may have hundreds of mounts. */
#define SYNC_THREADS_MAX 8

/* FIFREEZE mostly waits for all processors: tens of milliseconds where there are writers. */
#define FREEZE_THREADS_MAX 16

typedef struct {
    OsMount *mount;
    guint wave; /* linux/stack.h */
} Turn;

typedef struct {
    Turn turn;
    gint fd;            /* -1: could not be opened */
    gint error;         /* then why */
    gboolean is_frozen; /* by us; being thawed: that it was */
    gint64 took;        /* microseconds in FIFREEZE */
    GError *failure;    /* why not */
} Target;

struct OsFreeze {
    OsMounts *mounts;
    GArray *targets; /* Target, in the order of freezing */
    gint is_stopped; /* atomic */
};

static gboolean
is_freezable(const OsMount *mount)
{
    return !g_str_has_prefix(mount->type, "fuse");
}

static gboolean
is_wanted(const OsMount *mount, const GPtrArray *only)
{
    if (!only)
        return TRUE;
    for (guint i = 0; i < only->len; i++)
        if (strcmp(only->pdata[i], mount->directory) == 0)
            return TRUE;
    return FALSE;
}

/* The mounts in the order of freezing: a GArray of Turn. */
static GArray *
in_order(const OsMounts *mounts)
{
    g_autoptr(GArray) on_top = os_stack_find(mounts, SYSFS);
    g_autoptr(GArray) order = os_stack_order(mounts->list->len, on_top);
    g_autoptr(GArray) waves = os_stack_waves(order, on_top);
    GArray *turns = g_array_new(FALSE, FALSE, sizeof(Turn));

    for (guint i = 0; i < order->len; i++) {
        Turn turn = { mounts->list->pdata[g_array_index(order, guint, i)],
                      g_array_index(waves, guint, i) };
        if (is_freezable(turn.mount))
            g_array_append_val(turns, turn);
    }
    return turns;
}

static gint
open_mount(const OsMount *mount)
{
    return open(mount->directory, O_RDONLY | O_CLOEXEC);
}

static void
add_target(OsFreeze *freeze, const Turn *turn)
{
    Target target = { .turn = *turn, .fd = open_mount(turn->mount) };

    target.error = errno;
    g_array_append_val(freeze->targets, target);
}

static Target *
target_at(const OsFreeze *freeze, guint i)
{
    return &g_array_index(freeze->targets, Target, i);
}

static OsFreeze *
freeze_new(OsMounts *mounts)
{
    OsFreeze *freeze = g_new0(OsFreeze, 1);

    freeze->mounts = mounts;
    freeze->targets = g_array_new(FALSE, FALSE, sizeof(Target));
    return freeze;
}

OsFreeze *
os_freeze_open(const GPtrArray *only, GError **error)
{
    OsMounts *mounts = os_mounts_read(error);

    if (!mounts)
        return NULL;

    OsFreeze *freeze = freeze_new(mounts);
    g_autoptr(GArray) turns = in_order(mounts);
    for (guint i = 0; i < turns->len; i++) {
        const Turn *turn = &g_array_index(turns, Turn, i);
        if (is_wanted(turn->mount, only))
            add_target(freeze, turn);
    }
    return freeze;
}

void
os_freeze_free(OsFreeze *freeze)
{
    if (!freeze)
        return;
    for (guint i = 0; i < freeze->targets->len; i++) {
        Target *target = target_at(freeze, i);
        if (target->fd >= 0)
            close(target->fd);
        g_clear_error(&target->failure);
    }
    g_array_free(freeze->targets, TRUE);
    os_mounts_free(freeze->mounts);
    g_free(freeze);
}

void
os_freeze_account(const OsFreeze *freeze, GaAccount *account, const char *command)
{
    os_mounts_account(freeze->mounts, account, command);
}

void
os_freeze_stop(OsFreeze *freeze)
{
    g_atomic_int_set(&freeze->is_stopped, TRUE);
}

static gboolean
may_go_on(OsFreeze *freeze, gint64 deadline, GError **error)
{
    if (g_atomic_int_get(&freeze->is_stopped)) {
        qapi_set_error(error, "failed to freeze: the guardian of the freeze has gone");
        return FALSE;
    }
    if (deadline && g_get_monotonic_time() >= deadline) {
        qapi_set_error(error, "failed to freeze: the deadline of the freeze has passed");
        return FALSE;
    }
    return TRUE;
}

/* Work on some targets, shared out to threads. */
typedef struct Work Work;
struct Work {
    OsFreeze *freeze;
    gint64 deadline;
    void (*run)(const Work *work, Target *target);
    guint end;
    gint next; /* atomic */
};

static gpointer
work_some(gpointer data)
{
    Work *work = data;
    guint i;

    while ((i = (guint)g_atomic_int_add(&work->next, 1)) < work->end)
        work->run(work, target_at(work->freeze, i));
    return NULL;
}

/* This thread is one of them, and there may be no other. */
static void
share_out(Work *work, guint threads_max)
{
    GThread *threads[MAX(SYNC_THREADS_MAX, FREEZE_THREADS_MAX) - 1];
    guint n_targets = work->end - (guint)work->next;
    guint n_threads = MIN(MAX(n_targets, 1), threads_max) - 1;

    for (guint i = 0; i < n_threads; i++)
        threads[i] = g_thread_try_new("freeze", work_some, work, NULL);
    work_some(work);
    for (guint i = 0; i < n_threads; i++)
        if (threads[i])
            g_thread_join(threads[i]);
}

/* An error that matters is met again by FIFREEZE. */
static void
sync_one(G_GNUC_UNUSED const Work *work, Target *target)
{
    if (syncfs(target->fd) != 0)
        g_debug("syncfs: %s", g_strerror(errno));
}

static void
sync_all(OsFreeze *freeze)
{
    Work work = { freeze, 0, sync_one, freeze->targets->len, 0 };

    share_out(&work, SYNC_THREADS_MAX);
}

/* `but_for`: an error that does not count. */
static gboolean
are_open(const OsFreeze *freeze, gint but_for, GError **error)
{
    for (guint i = 0; i < freeze->targets->len; i++) {
        const Target *target = target_at(freeze, i);

        if (target->fd < 0 && target->error != but_for) {
            qapi_set_errno(error, target->error, "failed to open %s",
                           target->turn.mount->directory);
            return FALSE;
        }
    }
    return TRUE;
}

/* Whether it was not frozen before, and can be. */
static gboolean
freeze_fd(gint fd, const OsMount *mount, GError **error)
{
    if (ioctl(fd, FIFREEZE, NULL) == 0)
        return TRUE;
    if (errno != EOPNOTSUPP && errno != EBUSY)
        qapi_set_errno(error, errno, "failed to freeze %s", mount->directory);
    return FALSE;
}

static void
freeze_target(Target *target, gint fd)
{
    gint64 begun = g_get_monotonic_time();

    target->is_frozen = freeze_fd(fd, target->turn.mount, &target->failure);
    target->took = g_get_monotonic_time() - begun;
}

static void
freeze_opened(const Work *work, Target *target)
{
    if (target->fd >= 0 && may_go_on(work->freeze, work->deadline, &target->failure))
        freeze_target(target, target->fd);
}

/* One that there was no descriptor for has its turn when no other needs one. */
static void
freeze_unopened(const Work *work, Target *target)
{
    const OsMount *mount = target->turn.mount;

    if (target->fd >= 0 || !may_go_on(work->freeze, work->deadline, &target->failure))
        return;

    gint fd = open_mount(mount);
    if (fd < 0) {
        qapi_set_errno(&target->failure, errno, "failed to open %s", mount->directory);
        return;
    }
    freeze_target(target, fd);
    close(fd);
}

static guint
end_of_wave(const OsFreeze *freeze, guint begin)
{
    guint end = begin;

    while (end < freeze->targets->len &&
           target_at(freeze, end)->turn.wave == target_at(freeze, begin)->turn.wave)
        end++;
    return end;
}

/* How many it has frozen; -1: the error of the first that could not be. */
static gint64
freeze_wave(OsFreeze *freeze, guint begin, guint end, gint64 deadline, GError **error)
{
    Work work = { freeze, deadline, freeze_opened, end, (gint)begin };
    gint64 count = 0;

    share_out(&work, FREEZE_THREADS_MAX);
    for (guint i = begin; i < end; i++) {
        Target *target = target_at(freeze, i);

        freeze_unopened(&work, target);
        if (target->failure) {
            g_propagate_error(error, g_steal_pointer(&target->failure));
            return -1;
        }
        count += target->is_frozen ? 1 : 0;
    }
    return count;
}

gint64
os_freeze_run(OsFreeze *freeze, gint64 deadline, GError **error)
{
    gint64 count = 0;
    guint begin = 0;

    if (!are_open(freeze, EMFILE, error))
        return -1;
    sync_all(freeze);
    while (begin < freeze->targets->len) {
        guint end = end_of_wave(freeze, begin);
        gint64 in_wave = freeze_wave(freeze, begin, end, deadline, error);

        if (in_wave < 0)
            return -1;
        count += in_wave;
        begin = end;
    }
    return count;
}

void
os_frozen_free(OsFrozen *frozen)
{
    g_free(frozen->device);
    g_free(frozen->directory);
    g_free(frozen->type);
    g_free(frozen);
}

GPtrArray *
os_freeze_list(const OsFreeze *freeze)
{
    GPtrArray *list = g_ptr_array_new_with_free_func((GDestroyNotify)os_frozen_free);

    for (guint i = 0; i < freeze->targets->len; i++) {
        const Target *target = target_at(freeze, i);
        const OsMount *mount = target->turn.mount;
        OsFrozen *frozen = g_new(OsFrozen, 1);

        *frozen = (OsFrozen){ g_strdup(mount->source), g_strdup(mount->directory),
                              g_strdup(mount->type), target->is_frozen, target->took };
        g_ptr_array_add(list, frozen);
    }
    return list;
}

/* A file system may have been frozen several times. Returns 0 as long as it was. */
static gint
thaw_fd(gint fd)
{
    return ioctl(fd, FITHAW, NULL);
}

static gboolean
thaw_one(const OsMount *mount)
{
    gint fd = open_mount(mount);
    gboolean was_frozen = FALSE;

    if (fd < 0)
        return FALSE;
    while (thaw_fd(fd) == 0)
        was_frozen = TRUE;
    close(fd);
    return was_frozen;
}

static gint64
count_frozen(const OsFreeze *freeze)
{
    gint64 count = 0;

    for (guint i = 0; i < freeze->targets->len; i++)
        count += target_at(freeze, i)->is_frozen ? 1 : 0;
    return count;
}

/* One that has no process of its own is thawed here. */
static void
thaw_all(OsFreeze *frozen)
{
    guint n = frozen->targets->len;
    g_autofree gint *fds = g_new(gint, n);
    g_autofree OsThawed *thawed = g_new0(OsThawed, n);
    OsGuardianSpec spec = { .fds = fds, .n_fds = n, .thaw = thaw_fd };

    for (guint i = 0; i < n; i++)
        fds[i] = target_at(frozen, i)->fd;
    os_guardian_process_thaw(&spec, thawed);
    for (guint i = 0; i < n; i++) {
        Target *target = target_at(frozen, i);
        target->is_frozen = thawed[i].was_frozen;
        if (!thawed[i].is_done || target->fd < 0)
            target->is_frozen |= thaw_one(target->turn.mount);
    }
}

gint64
os_thaw(GError **error)
{
    OsMounts *mounts = os_mounts_read(error);

    if (!mounts)
        return -1;

    g_autoptr(OsFreeze) frozen = freeze_new(mounts);
    g_autoptr(GArray) turns = in_order(mounts);
    for (guint i = turns->len; i > 0; i--)
        add_target(frozen, &g_array_index(turns, Turn, i - 1));
    thaw_all(frozen);
    return count_frozen(frozen);
}

OsGuardian *
os_guardian_start(const OsFreeze *freeze, const char *directory, gint64 deadline,
                  const OsGuardianEvents *events, gpointer owner, GError **error)
{
    guint n = freeze->targets->len;
    g_autofree gint *fds = g_new(gint, n);

    if (!are_open(freeze, 0, error))
        return NULL;
    /* In the order of thawing. */
    for (guint i = 0; i < n; i++)
        fds[n - 1 - i] = target_at(freeze, i)->fd;

    OsGuardianSpec spec = { directory, fds, n, deadline, thaw_fd };
    return os_guardian_fork(&spec, events, owner, error);
}
