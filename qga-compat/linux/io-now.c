/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which transfers may be done at once, in the main loop.
 *
 * Reads ask the kernel for what is in memory (RWF_NOWAIT). There is nothing like
 * it for writes: ext4 refuses the flag, xfs answers EAGAIN where a block is to be
 * allocated, io_uring hands buffered writes to a thread of its own. But a hop to
 * a thread and back costs 15-35 us where the write of 64 KiB itself costs 11-15
 * (ext4, Linux 6.18), so writes are done here on trust.
 *
 * Trust is earned and short: a file of a local file system gets it when a
 * transfer took less than a millisecond, and for a tenth of a second only. So the
 * first write of a stream, and any after a pause, goes to a thread, where a
 * frozen file system, a dead disk or a busy journal keeps nobody waiting. A write
 * that breaks the trust (a journal's commit, writeback throttling) stopped the
 * loop once; that file then uses threads for a hundred times as long, so the loop
 * loses no more than 1 % of its time. Only sleep counts: a busy machine that takes
 * the processor away for a while does so from a thread as well.
 */
#include "platform/io.h"

#include <errno.h>
#include <linux/magic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/uio.h>
#include <unistd.h>

#define BRISK (1 * G_TIME_SPAN_MILLISECOND)
#define TRUST (100 * G_TIME_SPAN_MILLISECOND)
#define DISTRUST_FACTOR 100

/* The pieces clients write are 64 KiB or less; what is larger amortises the hop. */
#define WRITE_NOW_MAX (128 * 1024)

/* Not in older headers. */
#define XFS_MAGIC 0x58465342

static const guint32 local_file_systems[] = {
    BTRFS_SUPER_MAGIC, EXT4_SUPER_MAGIC, F2FS_SUPER_MAGIC, RAMFS_MAGIC, TMPFS_MAGIC, XFS_MAGIC,
};

static gboolean
is_on_local_file_system(gint fd)
{
    struct statfs status;

    if (fstatfs(fd, &status) < 0)
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(local_file_systems); i++)
        if ((guint32)status.f_type == local_file_systems[i])
            return TRUE;
    return FALSE;
}

void
os_pace_init(OsPace *pace, gint fd)
{
    struct stat status;

    *pace = (OsPace){ 0 };
    if (fstat(fd, &status) < 0)
        return;
    /* Other devices have drivers that never heard of O_NONBLOCK. */
    pace->never_waits = S_ISFIFO(status.st_mode) || isatty(fd);
    pace->is_local = S_ISREG(status.st_mode) && is_on_local_file_system(fd);
}

static gboolean
read_what_is_there(OsPace *pace, OsTransfer *transfer)
{
    struct iovec vector = { transfer->into, transfer->size };

    transfer->result = preadv2(transfer->fd, &vector, 1, -1, RWF_NOWAIT);
    if (transfer->result >= 0)
        return TRUE;
    /* EOPNOTSUPP (tmpfs, /proc), ENOSYS; and real errors, which the engine will meet again. */
    pace->refuses_nowait = errno != EAGAIN;
    return FALSE;
}

static gboolean
is_trusted(const OsPace *pace, const OsTransfer *transfer)
{
    gsize limit = transfer->kind == OS_IO_WRITE ? WRITE_NOW_MAX : OS_TRANSFER_MAX;

    return pace->is_local && transfer->size <= limit &&
           g_get_monotonic_time() < pace->trusted_until;
}

static glong
times_slept(void)
{
    struct rusage usage;

    return getrusage(RUSAGE_THREAD, &usage) == 0 ? usage.ru_nvcsw : 0;
}

static void
perform_trusted(OsPace *pace, OsTransfer *transfer)
{
    glong slept = times_slept();

    os_transfer_perform(transfer);
    if (transfer->duration > BRISK && times_slept() > slept) {
        pace->distrusted_until = g_get_monotonic_time() + DISTRUST_FACTOR * transfer->duration;
        pace->trusted_until = 0;
    } else {
        pace->trusted_until = g_get_monotonic_time() + TRUST;
    }
}

gboolean
os_pace_try(OsPace *pace, OsTransfer *transfer)
{
    if (pace->never_waits || (transfer->kind == OS_IO_SIZE && pace->is_local)) {
        os_transfer_perform(transfer);
        return TRUE;
    }
    if (transfer->kind == OS_IO_READ && !pace->refuses_nowait) {
        if (read_what_is_there(pace, transfer))
            return TRUE;
        if (!pace->refuses_nowait)
            return FALSE; /* it is known to wait */
    }
    if (!is_trusted(pace, transfer))
        return FALSE;
    perform_trusted(pace, transfer);
    return TRUE;
}

void
os_pace_learn(OsPace *pace, const OsTransfer *transfer)
{
    gint64 now = g_get_monotonic_time();

    if (transfer->duration < 0)
        return;
    if (transfer->duration <= BRISK && now >= pace->distrusted_until)
        pace->trusted_until = now + TRUST;
    else
        pace->trusted_until = 0;
}
