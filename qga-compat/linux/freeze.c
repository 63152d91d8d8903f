/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Freezing by FIFREEZE. Upstream goes through the mounts backwards; here the stacks
 * of loop devices come first (linux/stack.h). What is synced just before is not
 * written while writers already wait.
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

#include "linux/guardian.h"
#include "linux/mounts.h"
#include "linux/stack.h"
#include "runtime/qapi-error.h"

#define SYSFS "/sys"

/* Disks work better with some requests at hand, but a guest may have hundreds of mounts. */
#define SYNC_THREADS_MAX 8

typedef struct {
    const OsMount *mount;
    gint fd;    /* -1: could not be opened */
    gint error; /* then why */
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

/* The mounts in the order of freezing: a GPtrArray of OsMount. */
static GPtrArray *
in_order(const OsMounts *mounts)
{
    g_autoptr(GArray) on_top = os_stack_find(mounts, SYSFS);
    g_autoptr(GArray) order = os_stack_order(mounts->list->len, on_top);
    GPtrArray *list = g_ptr_array_new();

    for (guint i = 0; i < order->len; i++) {
        OsMount *mount = mounts->list->pdata[g_array_index(order, guint, i)];
        if (is_freezable(mount))
            g_ptr_array_add(list, mount);
    }
    return list;
}

static gint
open_mount(const OsMount *mount)
{
    return open(mount->directory, O_RDONLY | O_CLOEXEC);
}

static void
add_target(OsFreeze *freeze, const OsMount *mount)
{
    Target target = { mount, open_mount(mount), 0 };

    target.error = errno;
    g_array_append_val(freeze->targets, target);
}

OsFreeze *
os_freeze_open(const GPtrArray *only, GError **error)
{
    OsMounts *mounts = os_mounts_read(error);

    if (!mounts)
        return NULL;

    OsFreeze *freeze = g_new0(OsFreeze, 1);
    g_autoptr(GPtrArray) list = in_order(mounts);
    freeze->mounts = mounts;
    freeze->targets = g_array_new(FALSE, FALSE, sizeof(Target));
    for (guint i = 0; i < list->len; i++)
        if (is_wanted(list->pdata[i], only))
            add_target(freeze, list->pdata[i]);
    return freeze;
}

void
os_freeze_free(OsFreeze *freeze)
{
    if (!freeze)
        return;
    for (guint i = 0; i < freeze->targets->len; i++) {
        const Target *target = &g_array_index(freeze->targets, Target, i);
        if (target->fd >= 0)
            close(target->fd);
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

typedef struct {
    const GArray *targets;
    gint next; /* atomic */
} Sync;

/* One of those that share the work. An error that matters is met again by FIFREEZE. */
static gpointer
sync_some(gpointer data)
{
    Sync *sync = data;
    guint i;

    while ((i = (guint)g_atomic_int_add(&sync->next, 1)) < sync->targets->len)
        if (syncfs(g_array_index(sync->targets, Target, i).fd) != 0)
            g_debug("syncfs: %s", g_strerror(errno));
    return NULL;
}

static void
sync_all(const OsFreeze *freeze)
{
    GThread *threads[SYNC_THREADS_MAX - 1];
    guint n_threads = MIN(MAX(freeze->targets->len, 1) - 1, G_N_ELEMENTS(threads));
    Sync sync = { freeze->targets, 0 };

    for (guint i = 0; i < n_threads; i++)
        threads[i] = g_thread_try_new("sync", sync_some, &sync, NULL);
    sync_some(&sync);
    for (guint i = 0; i < n_threads; i++)
        if (threads[i])
            g_thread_join(threads[i]);
}

/* `but_for`: an error that does not count. */
static gboolean
are_open(const OsFreeze *freeze, gint but_for, GError **error)
{
    for (guint i = 0; i < freeze->targets->len; i++) {
        const Target *target = &g_array_index(freeze->targets, Target, i);

        if (target->fd < 0 && target->error != but_for) {
            qapi_set_errno(error, target->error, "failed to open %s", target->mount->directory);
            return FALSE;
        }
    }
    return TRUE;
}

/* Counts it if it was not frozen before and can be. */
static gboolean
freeze_fd(gint fd, const OsMount *mount, gint64 *count, GError **error)
{
    if (ioctl(fd, FIFREEZE, NULL) == 0) {
        ++*count;
        return TRUE;
    }
    if (errno == EOPNOTSUPP || errno == EBUSY)
        return TRUE;
    qapi_set_errno(error, errno, "failed to freeze %s", mount->directory);
    return FALSE;
}

/* One that there was no descriptor for has its turn now. */
static gboolean
freeze_one(const Target *target, gint64 *count, GError **error)
{
    if (target->fd >= 0)
        return freeze_fd(target->fd, target->mount, count, error);

    gint fd = open_mount(target->mount);
    if (fd < 0) {
        qapi_set_errno(error, errno, "failed to open %s", target->mount->directory);
        return FALSE;
    }
    gboolean is_done = freeze_fd(fd, target->mount, count, error);
    close(fd);
    return is_done;
}

gint64
os_freeze_run(OsFreeze *freeze, gint64 deadline, GError **error)
{
    gint64 count = 0;

    if (!are_open(freeze, EMFILE, error))
        return -1;
    sync_all(freeze);
    for (guint i = 0; i < freeze->targets->len; i++) {
        if (!may_go_on(freeze, deadline, error) ||
            !freeze_one(&g_array_index(freeze->targets, Target, i), &count, error))
            return -1;
    }
    return count;
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

gint64
os_thaw(GError **error)
{
    g_autoptr(OsMounts) mounts = os_mounts_read(error);
    gint64 count = 0;

    if (!mounts)
        return -1;

    g_autoptr(GPtrArray) list = in_order(mounts);
    for (guint i = list->len; i > 0; i--)
        count += thaw_one(list->pdata[i - 1]) ? 1 : 0;
    return count;
}

OsGuardian *
os_guardian_start(const OsFreeze *freeze, const char *directory, gint64 deadline,
                  OsGuardianEnded ended, gpointer owner, GError **error)
{
    guint n = freeze->targets->len;
    g_autofree gint *fds = g_new(gint, n);

    if (!are_open(freeze, 0, error))
        return NULL;
    /* In the order of thawing. */
    for (guint i = 0; i < n; i++)
        fds[n - 1 - i] = g_array_index(freeze->targets, Target, i).fd;

    OsGuardianSpec spec = { directory, fds, n, deadline, thaw_fd };
    return os_guardian_fork(&spec, ended, owner, error);
}
