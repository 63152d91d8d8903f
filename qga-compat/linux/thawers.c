/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Thawers: at the deadline of a freeze each mount has one (clone, in the guardian's
 * memory). For FITHAW waits: for a FIFREEZE that still syncs, or, on a loop device, for
 * the file system below, which may itself be frozen.
 *
 * Most of it is called in the guardian, after the fork: only system calls.
 */
#include "linux/thawers.h"

#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define STACK_SIZE (16 * 1024) /* of a thawer, which calls one function */

/* Between two passes over a mount while somebody may still freeze it. */
#define PASS_NSEC (5 * 1000 * 1000)

typedef struct {
    gint fd;
    gint n_passes; /* atomic; -1: it has no thawer */
    gint is_done;  /* atomic */
    gboolean was_frozen;
} Mount;

struct OsThawers {
    OsThaw thaw;
    guint n_mounts;
    Mount *mounts; /* in memory that is shared with the agent, which may read what came of it */
    guint8 *stacks;
    pid_t pid;    /* of the guardian */
    gint is_over; /* atomic: nobody freezes any more */
};

typedef struct {
    OsThawers *all;
    Mount *mount;
} Thawer;

static gsize
shared_size(guint n_mounts)
{
    return MAX(n_mounts, 1) * sizeof(Mount);
}

OsThawers *
os_thawers_new(const gint *fds, guint n_fds, OsThaw thaw)
{
    Mount *mounts = mmap(NULL, shared_size(n_fds), PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (mounts == MAP_FAILED)
        return NULL;

    OsThawers *thawers = g_new0(OsThawers, 1);
    thawers->thaw = thaw;
    thawers->n_mounts = n_fds;
    thawers->mounts = mounts;
    thawers->stacks = g_malloc((gsize)n_fds * STACK_SIZE);
    for (guint i = 0; i < n_fds; i++)
        thawers->mounts[i].fd = fds[i];
    return thawers;
}

void
os_thawers_free(OsThawers *thawers)
{
    if (!thawers)
        return;
    munmap(thawers->mounts, shared_size(thawers->n_mounts));
    g_free(thawers->stacks);
    g_free(thawers);
}

void
os_thawers_settle(OsThawers *thawers)
{
    thawers->pid = getpid();
    memset(thawers->stacks, 0, (gsize)thawers->n_mounts * STACK_SIZE);
}

void
os_thawers_freezing_is_over(OsThawers *thawers)
{
    __atomic_store_n(&thawers->is_over, TRUE, __ATOMIC_SEQ_CST);
}

gboolean
os_thawers_is_freezing_over(const OsThawers *thawers)
{
    return __atomic_load_n(&thawers->is_over, __ATOMIC_SEQ_CST);
}

/* Shares the memory of the guardian, errno included. Passes are made until one has begun after
 * the end of all freezing; a guardian that was killed cannot tell of that any more. */
static gint
run_thawer(gpointer data)
{
    static const struct timespec pause = { .tv_nsec = PASS_NSEC };
    const Thawer *thawer = data;
    OsThawers *all = thawer->all;
    Mount *mount = thawer->mount;
    gboolean is_last;

    do {
        is_last = os_thawers_is_freezing_over(all) || getppid() != all->pid;
        while (all->thaw(mount->fd) == 0)
            mount->was_frozen = TRUE;
        __atomic_add_fetch(&mount->n_passes, 1, __ATOMIC_SEQ_CST);
        if (!is_last)
            nanosleep(&pause, NULL);
    } while (!is_last);
    __atomic_store_n(&mount->is_done, TRUE, __ATOMIC_SEQ_CST);
    return 0;
}

/* The top of a thawer's stack, with what it needs to know. */
static Thawer *
place_thawer(OsThawers *thawers, guint i)
{
    guint8 *top = thawers->stacks + (gsize)(i + 1) * STACK_SIZE;
    Thawer *thawer = (Thawer *)(gpointer)(top - 64);

    *thawer = (Thawer){ thawers, &thawers->mounts[i] };
    return thawer;
}

void
os_thawers_thaw_rest(const OsThawers *thawers)
{
    for (guint i = 0; i < thawers->n_mounts; i++) {
        Mount *mount = &thawers->mounts[i];

        if (mount->n_passes != -1)
            continue;
        while (thawers->thaw(mount->fd) == 0)
            mount->was_frozen = TRUE;
        mount->is_done = TRUE;
    }
}

void
os_thawers_start(OsThawers *thawers)
{
    gboolean is_alone = FALSE;

    for (guint i = 0; i < thawers->n_mounts; i++) {
        Thawer *thawer = place_thawer(thawers, i);

        if (is_alone ||
            clone(run_thawer, thawer, CLONE_VM | CLONE_FILES | CLONE_FS | SIGCHLD, thawer) < 0)
            is_alone = TRUE;
        if (is_alone)
            thawers->mounts[i].n_passes = -1;
    }
    os_thawers_thaw_rest(thawers);
}

gboolean
os_thawers_have_passed(const OsThawers *thawers)
{
    for (guint i = 0; i < thawers->n_mounts; i++)
        if (__atomic_load_n(&thawers->mounts[i].n_passes, __ATOMIC_SEQ_CST) == 0)
            return FALSE;
    return TRUE;
}

gboolean
os_thawers_are_done(const OsThawers *thawers)
{
    for (guint i = 0; i < thawers->n_mounts; i++)
        if (thawers->mounts[i].n_passes != -1 &&
            !__atomic_load_n(&thawers->mounts[i].is_done, __ATOMIC_SEQ_CST))
            return FALSE;
    return TRUE;
}

OsThawed
os_thawers_result(const OsThawers *thawers, guint i)
{
    const Mount *mount = &thawers->mounts[i];
    gboolean is_done = __atomic_load_n(&mount->is_done, __ATOMIC_SEQ_CST);

    return (OsThawed){ is_done, mount->was_frozen };
}
