/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the bytes of files travel without stopping the main loop: one transfer at a
 * time between memory and a descriptor's own position.
 *
 * First the transfer is tried at once (OsPace knows when that is safe), then it
 * goes to an engine. There are two of these in one binary, hence the vtable; the
 * thread is the reference and takes everything.
 */
#pragma once

#include <glib.h>

typedef enum {
    OS_IO_READ,
    OS_IO_WRITE,
    OS_IO_SIZE, /* of the file; a network file system asks its server */
} OsIoKind;

typedef struct OsTransfer OsTransfer;

struct OsTransfer {
    OsIoKind kind;
    gint fd;
    union {
        void *into;       /* OS_IO_READ */
        const void *from; /* OS_IO_WRITE */
    };
    gsize size;
    gint64 result;                      /* bytes, or a negative errno value */
    gint64 duration;                    /* microseconds of the operation itself; -1: not measured */
    void (*done)(OsTransfer *transfer); /* from the main loop */
};

/* Fewer loop turns with more, but each of them longer: 1 MiB is 0.1 ms of copying. */
#define OS_TRANSFER_MAX (1024 * 1024)

/* Do it here, however long it takes. */
void os_transfer_perform(OsTransfer *transfer);

typedef struct OsIo OsIo;

typedef struct {
    /* FALSE: not by this engine, not now; done() will not be called. The transfer and its memory
     * belong to the engine until done(). */
    gboolean (*start)(OsIo *io, OsTransfer *transfer);
    void (*free)(OsIo *io);
} OsIoClass;

struct OsIo {
    const OsIoClass *class;
};

/* Takes every transfer. */
OsIo *os_io_thread_new(void);

/* Takes reads, as long as it has room. NULL where the kernel has none or does not permit it. */
OsIo *os_io_uring_new(void);

/* What is known of a file's manners. */
typedef struct {
    gboolean never_waits;    /* a pipe or a terminal that was opened with O_NONBLOCK */
    gboolean is_local;       /* a regular file of a disk or of memory of this machine */
    gboolean refuses_nowait; /* reading only what is there is not possible */
    gint64 trusted_until;    /* on the monotonic clock, in microseconds */
    gint64 distrusted_until;
} OsPace;

/* May wait: for a thread. */
void os_pace_init(OsPace *pace, gint fd);

/* Do the transfer now if that does not keep the loop waiting. FALSE: it does. */
gboolean os_pace_try(OsPace *pace, OsTransfer *transfer);

/* What an engine did and how long it took is the base of trust. */
void os_pace_learn(OsPace *pace, const OsTransfer *transfer);
