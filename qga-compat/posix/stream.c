/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Streams: one block of buffer for both directions.
 *
 * What surprises in glibc's rules, each of them visible to clients: a block that
 * was filled exactly is written by the next write, not by this one; whole blocks
 * bypass an empty buffer; a seek outside of the buffer reads the block around its
 * target up to there (all of the block if the buffer was in use); data that could
 * not be written is gone from the buffer, and only the error stays; reading whole
 * blocks leaves a stream that was written without room, so that each of the next
 * writes drains what the one before it left.
 */
#include "posix/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* As glibc: st_blksize, but no more than BUFSIZ. A power of two. */
#define BLOCK_MIN 512
#define BLOCK_MAX 8192

#define UNKNOWN (-1)

static gsize
block_size_for(const struct stat *status)
{
    gsize size = BLOCK_MIN;

    if (status->st_blksize <= 0)
        return BLOCK_MAX;
    while (size < BLOCK_MAX && size < (gsize)status->st_blksize)
        size *= 2;
    return size;
}

void
os_stream_init(OsStream *stream, gint fd, gint flags)
{
    struct stat status = { 0 };
    gint access_mode = flags & O_ACCMODE;

    *stream = (OsStream){ .fd = fd, .position = UNKNOWN };
    if (fstat(fd, &status) == 0)
        stream->is_regular = S_ISREG(status.st_mode);
    stream->block_size = block_size_for(&status);
    stream->can_read = access_mode != O_WRONLY;
    stream->can_write = access_mode != O_RDONLY;
    stream->appends = (flags & O_APPEND) != 0;
    stream->is_terminal = isatty(fd);
}

void
os_stream_clear(OsStream *stream)
{
    g_clear_pointer(&stream->block, g_free);
}

void
os_stream_start(OsStream *stream, const OsStreamJob *job)
{
    gboolean is_reading_ahead = !stream->is_putting && stream->get_end > 0;

    stream->job = *job;
    stream->job.reads_exactly = !is_reading_ahead && stream->put_start == stream->put_end;
    if (!stream->block)
        stream->block = g_malloc(stream->block_size);
}

gint64
os_stream_tell(const OsStream *stream)
{
    return stream->position - (gint64)(stream->get_end - stream->get_at);
}

static OsStep
fail(OsStream *stream, gint error)
{
    stream->error = error;
    return OS_STEP_FAILED;
}

static OsStep
request_read(OsStream *stream, void *into, gsize size)
{
    stream->transfer.kind = OS_IO_READ;
    stream->transfer.into = into;
    stream->transfer.size = MIN(size, OS_TRANSFER_MAX);
    return OS_STEP_TRANSFER;
}

static OsStep
request_write(OsStream *stream, const void *from, gsize size)
{
    stream->transfer.kind = OS_IO_WRITE;
    stream->transfer.from = from;
    stream->transfer.size = MIN(size, OS_TRANSFER_MAX);
    return OS_STEP_TRANSFER;
}

static gboolean
take_result(OsStream *stream, gint64 *ret_result)
{
    if (!stream->has_result)
        return FALSE;
    stream->has_result = FALSE;
    *ret_result = stream->transfer.result;
    return TRUE;
}

static void
empty_block(OsStream *stream)
{
    stream->get_at = stream->get_end = 0;
    stream->put_start = stream->put_end = 0;
}

static void
move_position(OsStream *stream, gint64 bytes)
{
    if (stream->position >= 0)
        stream->position += bytes;
}

/* The system's lseek(), with what follows from it. */
static gboolean
reposition(OsStream *stream, gint64 offset, gint whence)
{
    gint64 position = lseek(stream->fd, offset, whence);

    if (position < 0)
        return FALSE;
    stream->position = position;
    return TRUE;
}

static OsStep
fail_writing(OsStream *stream, gint error)
{
    empty_block(stream);
    stream->put_limit = stream->block_size;
    stream->has_failed = TRUE;
    return fail(stream, error);
}

/* Move the descriptor from the end of what was read ahead to where writing goes on. */
static gboolean
reposition_for_writing(OsStream *stream)
{
    gint64 distance = (gint64)stream->put_start - (gint64)stream->get_end;

    if (stream->appends)
        stream->position = UNKNOWN;
    else if (distance != 0 && !reposition(stream, distance, SEEK_CUR))
        return FALSE;
    stream->get_at = stream->get_end = stream->put_start;
    return TRUE;
}

/* Write the buffer up to `end`. */
static OsStep
drain_to(OsStream *stream, gsize end)
{
    gint64 result;
    gboolean has_written = take_result(stream, &result);

    if (has_written) {
        if (result <= 0)
            return fail_writing(stream, result < 0 ? (gint)-result : EIO);
        stream->put_start += (gsize)result;
        stream->get_at = stream->get_end = stream->put_start;
        move_position(stream, result);
    } else if (stream->put_start < end && !reposition_for_writing(stream)) {
        return fail_writing(stream, errno);
    }

    if (stream->put_start < end)
        return request_write(stream, stream->block + stream->put_start, end - stream->put_start);
    if (has_written && stream->put_start == stream->put_end) {
        empty_block(stream);
        stream->put_limit = stream->block_size;
    }
    return OS_STEP_DONE;
}

OsStep
os_stream_drain(OsStream *stream)
{
    return drain_to(stream, stream->put_end);
}

OsStep
os_stream_unread(OsStream *stream)
{
    gint64 ahead = (gint64)(stream->get_end - stream->get_at);

    if (ahead != 0) {
        if (reposition(stream, -ahead, SEEK_CUR))
            stream->get_end = stream->get_at;
        else if (errno != ESPIPE) /* what a pipe gave cannot be given back: it stays */
            return fail(stream, errno);
    }
    stream->position = UNKNOWN;
    return OS_STEP_DONE;
}

OsStep
os_stream_report(OsStream *stream)
{
    if (!stream->has_failed)
        return OS_STEP_DONE;
    stream->has_failed = FALSE;
    return fail(stream, 0);
}

OsStep
os_stream_read(OsStream *stream)
{
    OsStreamJob *job = &stream->job;
    gint64 result;

    if (take_result(stream, &result)) {
        gboolean is_ahead = stream->transfer.into == stream->block;

        if (result < 0)
            return fail(stream, (gint)-result);
        job->is_end_of_file = result == 0;
        if (job->is_end_of_file) {
            if (is_ahead)
                stream->position = UNKNOWN;
            return OS_STEP_DONE;
        }
        move_position(stream, result);
        if (is_ahead)
            stream->get_end = (gsize)result;
        else
            job->done += (gsize)result;
    }

    gsize ready = MIN(stream->get_end - stream->get_at, job->size - job->done);
    if (ready > 0)
        memcpy(job->into + job->done, stream->block + stream->get_at, ready);
    stream->get_at += ready;
    job->done += ready;

    gsize wanted = job->size - job->done;
    if (wanted == 0)
        return OS_STEP_DONE;
    empty_block(stream);
    if (wanted < stream->block_size) {
        stream->is_putting = FALSE;
        return request_read(stream, stream->block, stream->block_size);
    }
    stream->put_limit = 0;
    return request_read(stream, job->into + job->done, wanted - wanted % stream->block_size);
}

static void
copy_to_block(OsStream *stream)
{
    OsStreamJob *job = &stream->job;
    gsize size = MIN(job->size - job->done, stream->block_size - stream->put_end);

    if (size > 0)
        memcpy(stream->block + stream->put_end, job->from + job->done, size);
    stream->put_end += size;
    job->done += size;
}

/* From reading to putting, at the same place of the block. */
static void
start_putting(OsStream *stream)
{
    if (stream->get_at == stream->block_size)
        stream->get_at = stream->get_end = 0;
    stream->put_start = stream->put_end = stream->get_at;
    stream->get_at = stream->get_end;
    stream->put_limit = stream->block_size;
    stream->is_putting = TRUE;
}

OsStep
os_stream_fill(OsStream *stream)
{
    OsStreamJob *job = &stream->job;

    if (job->size == 0)
        return OS_STEP_DONE;
    if (!stream->can_write)
        return fail(stream, EBADF);

    if (!stream->is_putting)
        start_putting(stream);
    else if (stream->put_limit > 0 && (stream->put_end > 0 || job->size <= stream->block_size))
        copy_to_block(stream);
    job->blocks_end = job->size - (job->size - job->done) % stream->block_size;
    return OS_STEP_DONE;
}

OsStep
os_stream_overflow(OsStream *stream)
{
    return stream->job.done == stream->job.size ? OS_STEP_DONE : os_stream_drain(stream);
}

OsStep
os_stream_put(OsStream *stream)
{
    OsStreamJob *job = &stream->job;
    gint64 result;

    if (take_result(stream, &result)) {
        if (result <= 0)
            return fail_writing(stream, result < 0 ? (gint)-result : EIO);
        job->done += (gsize)result;
        move_position(stream, result);
    } else if (job->done < job->blocks_end) {
        if (!reposition_for_writing(stream))
            return fail_writing(stream, errno);
        empty_block(stream);
        stream->put_limit = stream->block_size;
    }

    if (job->done >= job->blocks_end)
        return OS_STEP_DONE;
    return request_write(stream, job->from + job->done, job->blocks_end - job->done);
}

OsStep
os_stream_keep(OsStream *stream)
{
    for (;;) {
        copy_to_block(stream); /* nothing while the full block is being written */
        if (stream->job.done == stream->job.size)
            return OS_STEP_DONE;

        OsStep step = os_stream_drain(stream);
        if (step != OS_STEP_DONE)
            return step;
    }
}

OsStep
os_stream_end_line(OsStream *stream)
{
    gsize pending = stream->put_end - stream->put_start;

    if (!stream->is_terminal || pending == 0)
        return OS_STEP_DONE;

    const guint8 *start = stream->block + stream->put_start;
    const guint8 *newline = memrchr(start, '\n', pending);
    gsize end = newline ? stream->put_start + (gsize)(newline + 1 - start) : stream->put_start;
    OsStep step = drain_to(stream, end);

    if (step == OS_STEP_DONE && stream->get_end == stream->put_start) {
        stream->put_end -= stream->put_start;
        memmove(stream->block, stream->block + stream->put_start, stream->put_end);
        stream->get_at = stream->get_end = stream->put_start = 0;
    }
    return step;
}

OsStep
os_stream_turn(OsStream *stream)
{
    OsStep step = os_stream_drain(stream);

    if (step == OS_STEP_DONE) {
        stream->is_putting = FALSE;
        stream->put_start = stream->put_end = 0;
    }
    return step;
}

OsStep
os_stream_measure(OsStream *stream)
{
    OsStreamJob *job = &stream->job;
    gint64 result;

    /* Where the end is of what has no size only the system knows. */
    if (job->whence != SEEK_END || !stream->is_regular)
        return OS_STEP_DONE;
    if (!take_result(stream, &result)) {
        stream->transfer.kind = OS_IO_SIZE;
        stream->transfer.size = 0;
        return OS_STEP_TRANSFER;
    }
    if (result < 0)
        return fail(stream, (gint)-result);
    if (job->offset > G_MAXINT64 - result)
        return fail(stream, EINVAL);
    job->offset += result;
    job->whence = SEEK_SET;
    return OS_STEP_DONE;
}

/* Leave it to the system. */
static OsStep
locate_plainly(OsStream *stream, gint64 offset, gint whence)
{
    if (!reposition(stream, offset, whence))
        return fail(stream, errno);
    empty_block(stream);
    return OS_STEP_DONE;
}

static gboolean
locate_in_block(OsStream *stream, gint64 target)
{
    gint64 start = stream->position - (gint64)stream->get_end;

    if (stream->position < 0 || target < start || target >= stream->position)
        return FALSE;
    stream->get_at = (gsize)(target - start);
    return TRUE;
}

OsStep
os_stream_locate(OsStream *stream)
{
    OsStreamJob *job = &stream->job;

    if (job->whence == SEEK_CUR) {
        gint64 ahead = (gint64)(stream->get_end - stream->get_at);

        if (job->offset < G_MININT64 + ahead)
            return fail(stream, EINVAL);
        job->offset -= ahead;
        if (stream->position < 0)
            return locate_plainly(stream, job->offset, SEEK_CUR);
        if (job->offset > G_MAXINT64 - stream->position)
            return fail(stream, EINVAL);
        job->offset += stream->position;
        job->whence = SEEK_SET;
    }
    if (job->whence == SEEK_SET && job->offset >= 0 && locate_in_block(stream, job->offset))
        return OS_STEP_DONE;
    if (job->whence != SEEK_SET || job->offset < 0 || !stream->can_read)
        return locate_plainly(stream, job->offset, job->whence);

    gint64 skip = job->offset % (gint64)stream->block_size;
    if (!reposition(stream, job->offset - skip, SEEK_SET))
        return fail(stream, errno);
    empty_block(stream);
    job->skip = (gsize)skip;
    return OS_STEP_DONE;
}

OsStep
os_stream_skip(OsStream *stream)
{
    OsStreamJob *job = &stream->job;
    gint64 result;

    if (job->skip == 0)
        return OS_STEP_DONE;
    if (!take_result(stream, &result))
        return request_read(stream, stream->block,
                            job->reads_exactly ? job->skip : stream->block_size);

    /* Behind the end, or not readable: then without reading. */
    if (result < (gint64)job->skip)
        return locate_plainly(stream, (gint64)job->skip - MAX(result, 0), SEEK_CUR);
    move_position(stream, result);
    stream->get_at = job->skip;
    stream->get_end = (gsize)result;
    return OS_STEP_DONE;
}
