/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The buffer of a C stream over a descriptor, as a machine that never waits: its
 * steps ask for one transfer at a time and are called again with the result.
 *
 * Clients see the buffer: when written data appears in the file, which request
 * tells that the disk is full, what a second handle reads. So the rules are those
 * of glibc's streams, which upstream uses.
 */
#pragma once

#include "platform/io.h"

typedef enum {
    OS_STEP_DONE,
    OS_STEP_TRANSFER, /* perform `transfer`, set has_result, call the step again */
    OS_STEP_FAILED,   /* `error` says why */
} OsStep;

/* What an operation is about; set by its caller. */
typedef struct {
    union {
        guint8 *into;       /* reading */
        const guint8 *from; /* writing */
    };
    gsize size;
    gsize done;              /* of `size` */
    gboolean is_end_of_file; /* reading: it was met */
    gint64 offset;           /* seeking */
    gint whence;             /* SEEK_SET, SEEK_CUR, SEEK_END */

    gsize blocks_end;       /* writing: whole blocks are written up to here, past the buffer */
    gboolean reads_exactly; /* seeking: no more than what lies before the target */
    gsize skip;             /* seeking: bytes of the block before the target */
} OsStreamJob;

typedef struct {
    gint fd;
    gboolean can_read;
    gboolean can_write;
    gboolean appends;
    gboolean is_regular;
    gboolean is_terminal; /* written line by line */

    /* The descriptor's position belongs to block[get_end] while reading; while putting it does to
     * block[put_start], or is moved there before the first write. */
    guint8 *block; /* NULL before the first use */
    gsize block_size;
    gsize get_at, get_end;    /* read ahead, not asked for yet */
    gsize put_start, put_end; /* written by the client, not by us */
    gsize put_limit;          /* how far a write may fill the block before it is drained */
    gboolean is_putting;
    gint64 position; /* of the descriptor; negative: not known */

    gboolean has_failed; /* a write did; sticks until a read or write tells it */
    gint error;          /* errno value; 0: nothing is known but that it failed */

    OsTransfer transfer;
    gboolean has_result;
    OsStreamJob job;
} OsStream;

/* `fd` was opened with these flags and is owned from now on. May wait: for a thread. */
void os_stream_init(OsStream *stream, gint fd, gint flags);

/* Frees the buffer with what is in it. The descriptor stays open. */
void os_stream_clear(OsStream *stream);

void os_stream_start(OsStream *stream, const OsStreamJob *job);

/* Where the client is. Known after a seek. */
gint64 os_stream_tell(const OsStream *stream);

/* The steps; an operation is a list of them. */
OsStep os_stream_drain(OsStream *stream);  /* write what is buffered */
OsStep os_stream_unread(OsStream *stream); /* give up what was read ahead */
OsStep os_stream_report(OsStream *stream); /* fail if a write failed before */

OsStep os_stream_read(OsStream *stream); /* fill job.into */

OsStep os_stream_fill(OsStream *stream);     /* into the room that the buffer has */
OsStep os_stream_overflow(OsStream *stream); /* drain it if there is more */
OsStep os_stream_put(OsStream *stream);      /* whole blocks past the buffer */
OsStep os_stream_keep(OsStream *stream);     /* the rest into the buffer */
OsStep os_stream_end_line(OsStream *stream); /* a terminal: drain up to the last newline */

OsStep os_stream_turn(OsStream *stream);    /* drain and be ready for reading */
OsStep os_stream_measure(OsStream *stream); /* find the end, if the target counts from there */
OsStep os_stream_locate(OsStream *stream);  /* go to the target, or to the start of its block */
OsStep os_stream_skip(OsStream *stream);    /* read from there to the target */
