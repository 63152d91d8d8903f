/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads by io_uring: the disk is waited for without a thread.
 *
 * The ring's own descriptor is the event: it is readable while completions wait,
 * so an idle ring costs the loop one quiet descriptor.
 */
#include "platform/io.h"

#include <errno.h>
#include <glib-unix.h>
#include <liburing.h>

/* A file has one transfer under way and a session one call: more than these come rarely and go
 * to the thread. */
#define RING_ENTRIES 16

/* The offset that means the file's own position. */
#define AT_POSITION ((__u64)-1)

typedef struct {
    OsIo io;
    struct io_uring ring;
    guint source;
} Uring;

static void
settle(Uring *uring, struct io_uring_cqe *completion)
{
    OsTransfer *transfer = io_uring_cqe_get_data(completion);
    gint result = completion->res;

    io_uring_cqe_seen(&uring->ring, completion);
    if (!transfer)
        return;
    transfer->result = result;
    transfer->duration = -1;
    transfer->done(transfer);
}

static gboolean
on_completions(G_GNUC_UNUSED gint fd, G_GNUC_UNUSED GIOCondition condition, gpointer user_data)
{
    Uring *uring = user_data;
    struct io_uring_cqe *completion;

    /* One a turn: whoever is told may free the ring. It stays readable while there are more. */
    if (io_uring_peek_cqe(&uring->ring, &completion) == 0)
        settle(uring, completion);
    return G_SOURCE_CONTINUE;
}

static gboolean
uring_start(OsIo *io, OsTransfer *transfer)
{
    Uring *uring = (Uring *)io;

    if (transfer->kind != OS_IO_READ)
        return FALSE;

    struct io_uring_sqe *entry = io_uring_get_sqe(&uring->ring);
    if (!entry)
        return FALSE;
    io_uring_prep_read(entry, transfer->fd, transfer->into, (guint)transfer->size, AT_POSITION);
    io_uring_sqe_set_data(entry, transfer);
    if (io_uring_submit(&uring->ring) > 0)
        return TRUE;

    /* The entry stays in the queue and goes with the next one: it must not touch the memory. */
    io_uring_prep_nop(entry);
    io_uring_sqe_set_data(entry, NULL);
    return FALSE;
}

static void
uring_free(OsIo *io)
{
    Uring *uring = (Uring *)io;

    g_source_remove(uring->source);
    io_uring_queue_exit(&uring->ring);
    g_free(uring);
}

static const OsIoClass uring_class = { uring_start, uring_free };

OsIo *
os_io_uring_new(void)
{
    struct io_uring ring;

    /* ENOSYS: too old; EPERM: kernel.io_uring_disabled or a seccomp filter; ENOMEM: mlock limit */
    gint result = io_uring_queue_init(RING_ENTRIES, &ring, 0);
    if (result < 0) {
        g_debug("no io_uring, threads instead: %s", g_strerror(-result));
        return NULL;
    }
    if (!(ring.features & IORING_FEAT_RW_CUR_POS)) { /* Linux 5.6 */
        io_uring_queue_exit(&ring);
        return NULL;
    }

    Uring *uring = g_new(Uring, 1);
    uring->io.class = &uring_class;
    uring->ring = ring;
    uring->source = g_unix_fd_add(ring.ring_fd, G_IO_IN, on_completions, uring);
    return &uring->io;
}
