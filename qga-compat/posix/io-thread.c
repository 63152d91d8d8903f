/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Transfers by the plain system calls, on a thread. */
#include "platform/io.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/task.h"

static gint64
file_size(gint fd)
{
    struct stat status;

    return fstat(fd, &status) < 0 ? -1 : status.st_size;
}

static gint64
perform_once(const OsTransfer *transfer)
{
    switch (transfer->kind) {
    case OS_IO_READ:
        return read(transfer->fd, transfer->into, transfer->size);
    case OS_IO_WRITE:
        return write(transfer->fd, transfer->from, transfer->size);
    case OS_IO_SIZE:
        return file_size(transfer->fd);
    }
    g_return_val_if_reached(-1);
}

void
os_transfer_perform(OsTransfer *transfer)
{
    gint64 start = g_get_monotonic_time();

    do
        transfer->result = perform_once(transfer);
    while (transfer->result < 0 && errno == EINTR);
    if (transfer->result < 0)
        transfer->result = -errno;
    transfer->duration = g_get_monotonic_time() - start;
}

static void
work(gpointer data)
{
    os_transfer_perform(data);
}

static void
done(gpointer data)
{
    OsTransfer *transfer = data;

    transfer->done(transfer);
}

static gboolean
thread_start(G_GNUC_UNUSED OsIo *io, OsTransfer *transfer)
{
    ga_task_run(work, done, transfer);
    return TRUE;
}

static void
thread_free(OsIo *io)
{
    g_free(io);
}

static const OsIoClass thread_class = { thread_start, thread_free };

OsIo *
os_io_thread_new(void)
{
    OsIo *io = g_new(OsIo, 1);

    io->class = &thread_class;
    return io;
}
