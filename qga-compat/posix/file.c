/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files: an operation is a list of steps of the stream, and the driver here runs
 * them, doing each transfer at once where that cannot wait and by an engine
 * where it can. Opening and closing may wait for a server, or for the blocks of a
 * deleted file to be freed, and always go to a thread; the hop costs 10-25 us.
 *
 * Engines, as measured on ext4 with Linux 6.18: io_uring for reads of what is not
 * in memory (no thread is woken for a disk that takes its time); the thread for
 * writes, because io_uring passes buffered writes of ext4 to a kernel thread of
 * its own (64 KiB: 46-76 us, with our thread 26-52), and for what it would only
 * pass on as well (tmpfs, /proc).
 */
#include "platform/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/task.h"
#include "posix/stream.h"
#include "runtime/qapi-error.h"

/* What a file may transfer at once before other sessions have their turn: 0.1-0.3 ms. */
#define TURN_BYTES (1024 * 1024)

/* Descriptors kept for sessions, pipes of processes, logs. */
#define DESCRIPTORS_RESERVED 128

typedef struct {
    OsStep (*run)(OsStream *stream);
    const char *failure;
} Step;

static const Step flush_steps[] = {
    { os_stream_drain, "failed to flush file" },
    { os_stream_unread, "failed to flush file" },
    { 0 },
};

static const Step seek_steps[] = {
    { os_stream_turn, "failed to seek file" },
    { os_stream_measure, "failed to seek file" },
    { os_stream_locate, "failed to seek file" },
    { os_stream_skip, "failed to seek file" },
    { 0 },
};

static const Step read_steps[] = {
    { os_stream_report, "failed to read file" }, /* first, so that nothing is read in vain */
    { os_stream_read, "failed to read file" },
    { 0 },
};

static const Step write_steps[] = {
    { os_stream_fill, "failed to write to file" },
    { os_stream_overflow, "failed to write to file" },
    { os_stream_put, "failed to write to file" },
    { os_stream_keep, "failed to write to file" },
    { os_stream_end_line, "failed to write to file" },
    { os_stream_report, "failed to write to file" },
    { 0 },
};

static const Step close_steps[] = { { os_stream_drain, "failed to close handle" }, { 0 } };

typedef enum { LAST_NEITHER, LAST_READ, LAST_WRITE } LastOperation;

struct OsFiles {
    guint references; /* the owner's, and one for each file */
    OsIo *thread;
    OsIo *uring; /* NULL: not tried yet, or not to be had */
    gboolean has_tried_uring;
};

struct OsFile {
    OsFiles *files;
    OsStream stream;
    OsPace pace;
    LastOperation last;

    /* the operation under way */
    const Step *step; /* NULL: none */
    const Step *then; /* more steps after these, or NULL */
    void (*finish)(OsFile *file, GError *error);
    union {
        OsFileDone done;
        OsFileRead read;
        OsFileSought sought;
    } callback;
    gpointer user_data;
    gsize turn_bytes;    /* transferred at once in this turn */
    gboolean is_uring;   /* the engine of the transfer under way */
    void *copy;          /* of what a thread is to write */
    gboolean is_reading; /* job.into is ours */
    gboolean is_orphan;
};

OsFiles *
os_files_new(void)
{
    OsFiles *files = g_new0(OsFiles, 1);

    files->references = 1;
    files->thread = os_io_thread_new();
    return files;
}

static OsFiles *
files_ref(OsFiles *files)
{
    files->references++;
    return files;
}

void
os_files_free(OsFiles *files)
{
    if (--files->references > 0)
        return;
    files->thread->class->free(files->thread);
    if (files->uring)
        files->uring->class->free(files->uring);
    g_free(files);
}

guint
os_files_maximum(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > G_MAXUINT)
        return G_MAXUINT;

    guint descriptors = (guint)limit.rlim_cur;
    return descriptors - MIN(DESCRIPTORS_RESERVED, descriptors / 2);
}

static OsIo *
uring_of(OsFiles *files)
{
    if (!files->has_tried_uring) {
        files->uring = os_io_uring_new();
        files->has_tried_uring = TRUE;
    }
    return files->uring;
}

/* Neither the loop nor a callback is needed, so nothing may be under way. */
static void
destroy(OsFile *file)
{
    if (file->stream.fd >= 0)
        close(file->stream.fd);
    os_stream_clear(&file->stream);
    os_files_free(file->files);
    g_free(file);
}

/* The end of an operation whose owner is gone. */
static void
abandon(OsFile *file)
{
    if (file->is_reading)
        g_free(file->stream.job.into);
    destroy(file);
}

static void run(OsFile *file);

static void
end_operation(OsFile *file, GError *error)
{
    file->step = NULL;
    file->finish(file, error);
}

static void
end_with_failure(OsFile *file)
{
    GError *error = NULL;

    if (file->stream.error)
        qapi_set_errno(&error, file->stream.error, "%s", file->step->failure);
    else
        qapi_set_error(&error, "%s", file->step->failure);
    end_operation(file, error);
}

static void
transfer_done(OsTransfer *transfer)
{
    OsStream *stream = (OsStream *)((guint8 *)transfer - G_STRUCT_OFFSET(OsStream, transfer));
    OsFile *file = (OsFile *)((guint8 *)stream - G_STRUCT_OFFSET(OsFile, stream));

    g_clear_pointer(&file->copy, g_free);
    if (file->is_orphan) {
        abandon(file);
        return;
    }
    if (file->is_uring && transfer->result == -EAGAIN) {
        /* io_uring does not wait for what it thinks is non-blocking. */
        file->is_uring = FALSE;
        file->files->thread->class->start(file->files->thread, transfer);
        return;
    }
    os_pace_learn(&file->pace, transfer);
    stream->has_result = TRUE;
    file->turn_bytes = 0;
    run(file);
}

static gboolean
start_uring(OsFile *file)
{
    OsTransfer *transfer = &file->stream.transfer;

    if (transfer->kind != OS_IO_READ || file->pace.refuses_nowait)
        return FALSE;

    OsIo *uring = uring_of(file->files);
    return uring && uring->class->start(uring, transfer);
}

/* A thread never touches the client's request: that may go with its session. */
static void
copy_request(OsFile *file)
{
    OsTransfer *transfer = &file->stream.transfer;
    const guint8 *from = transfer->from;
    const guint8 *block = file->stream.block;

    if (transfer->kind != OS_IO_WRITE || (from >= block && from < block + file->stream.block_size))
        return;
    file->copy = g_malloc(transfer->size);
    memcpy(file->copy, from, transfer->size);
    transfer->from = file->copy;
}

static void
start_transfer(OsFile *file)
{
    OsTransfer *transfer = &file->stream.transfer;
    OsIo *thread = file->files->thread;

    transfer->done = transfer_done;
    file->is_uring = start_uring(file);
    if (file->is_uring)
        return;
    copy_request(file);
    thread->class->start(thread, transfer);
}

static gboolean next_turn(gpointer user_data);

/* TRUE: the step has its result. */
static gboolean
transfer_now(OsFile *file)
{
    OsStream *stream = &file->stream;

    stream->transfer.fd = stream->fd;
    if (file->turn_bytes >= TURN_BYTES) {
        g_idle_add_full(G_PRIORITY_DEFAULT, next_turn, file, NULL);
        return FALSE;
    }
    if (!os_pace_try(&file->pace, &stream->transfer)) {
        start_transfer(file);
        return FALSE;
    }
    stream->has_result = TRUE;
    if (stream->transfer.result > 0 && stream->transfer.kind != OS_IO_SIZE)
        file->turn_bytes += (gsize)stream->transfer.result;
    return TRUE;
}

static gboolean
next_turn(gpointer user_data)
{
    OsFile *file = user_data;

    file->turn_bytes = 0;
    if (file->is_orphan)
        abandon(file);
    else if (transfer_now(file))
        run(file);
    return G_SOURCE_REMOVE;
}

static void
run(OsFile *file)
{
    for (;;) {
        if (!file->step->run && file->then)
            file->step = g_steal_pointer(&file->then);
        if (!file->step->run) {
            end_operation(file, NULL);
            return;
        }

        OsStep result = file->step->run(&file->stream);
        if (result == OS_STEP_FAILED) {
            end_with_failure(file);
            return;
        }
        if (result == OS_STEP_DONE)
            file->step++;
        else if (!transfer_now(file))
            return;
    }
}

static void
start(OsFile *file, const Step *before, const Step *steps, const OsStreamJob *job,
      void (*finish)(OsFile *file, GError *error), gpointer user_data)
{
    g_return_if_fail(!file->step);

    file->step = before ? before : steps;
    file->then = before ? steps : NULL;
    file->finish = finish;
    file->user_data = user_data;
    file->turn_bytes = 0;
    os_stream_start(&file->stream, job);
    run(file);
}

/* Open */

typedef struct {
    OsFiles *files;
    char *path;
    char *mode;
    gint flags;
    OsFile *file;
    GError *error;
    OsFileOpened opened;
    gpointer user_data;
} Opening;

static gboolean
parse_mode(const char *mode, gint *ret_flags)
{
    static const struct {
        char letter;
        gint access, other;
    } kinds[] = {
        { 'r', O_RDONLY, 0 },
        { 'w', O_WRONLY, O_CREAT | O_TRUNC },
        { 'a', O_WRONLY, O_CREAT | O_APPEND },
    };
    static const char *const plain[] = { "", "b", NULL };
    static const char *const updating[] = { "+", "b+", "+b", NULL };

    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (mode[0] != kinds[i].letter)
            continue;
        gboolean is_updating = g_strv_contains(updating, mode + 1);
        *ret_flags = (is_updating ? O_RDWR : kinds[i].access) | kinds[i].other;
        return is_updating || g_strv_contains(plain, mode + 1);
    }
    return FALSE;
}

/* A new file has no permissions before it has all of them, and those do not depend on the umask.
 * An existing one keeps its own. */
static gint
open_or_create(const Opening *opening, gboolean *ret_is_new)
{
    gint flags = opening->flags | O_NOCTTY | O_NONBLOCK | O_CLOEXEC;

    *ret_is_new = FALSE;
    if (!(flags & O_CREAT))
        return open(opening->path, flags);

    gint fd = open(opening->path, flags | O_EXCL, 0);
    if (fd < 0 && errno == EEXIST)
        return open(opening->path, flags & ~O_CREAT);
    *ret_is_new = fd >= 0;
    return fd;
}

static void
open_work(gpointer data)
{
    Opening *opening = data;
    gboolean is_new;
    gint fd = open_or_create(opening, &is_new);

    if (fd < 0) {
        qapi_set_errno(&opening->error, errno, "failed to open file '%s' (mode: '%s')",
                       opening->path, opening->mode);
        return;
    }
    if (is_new && fchmod(fd, 0666) < 0) {
        qapi_set_errno(&opening->error, errno,
                       "failed to set permission 0666 on new file '%s' (mode: '%s')", opening->path,
                       opening->mode);
        close(fd);
        unlink(opening->path);
        return;
    }

    OsFile *file = g_new0(OsFile, 1);
    os_stream_init(&file->stream, fd, opening->flags);
    os_pace_init(&file->pace, fd);
    opening->file = file;
}

static void
open_done(gpointer data)
{
    Opening *opening = data;

    if (opening->file)
        opening->file->files = files_ref(opening->files);
    opening->opened(opening->file, opening->error, opening->user_data);

    os_files_free(opening->files);
    g_free(opening->path);
    g_free(opening->mode);
    g_free(opening);
}

void
os_file_open(OsFiles *files, const char *path, const char *mode, OsFileOpened opened,
             gpointer user_data)
{
    gint flags;

    if (!parse_mode(mode, &flags)) {
        GError *error = NULL;

        qapi_set_error(&error, "invalid file open mode '%s'", mode);
        opened(NULL, error, user_data);
        return;
    }

    Opening *opening = g_new0(Opening, 1);
    opening->files = files_ref(files);
    opening->path = g_strdup(path);
    opening->mode = g_strdup(mode);
    opening->flags = flags;
    opening->opened = opened;
    opening->user_data = user_data;
    ga_task_run(open_work, open_done, opening);
}

/* Read */

static GBytes *
steal_bytes(OsStreamJob *job)
{
    /* A short read must not hold the memory of a long one while its answer is sent. */
    if (job->done < job->size)
        job->into = g_realloc(job->into, job->done);
    return g_bytes_new_take(g_steal_pointer(&job->into), job->done);
}

static void
finish_read(OsFile *file, GError *error)
{
    OsStreamJob *job = &file->stream.job;

    file->is_reading = FALSE;
    if (error && job->done == 0) {
        g_clear_pointer(&job->into, g_free);
        file->callback.read(NULL, FALSE, error, file->user_data);
        return;
    }
    /* Upstream loses what came before an error, such as the three bytes that are in a pipe; for
     * what may be written next it counts as no read all the same. */
    if (error)
        g_clear_error(&error);
    else
        file->last = LAST_READ;
    file->callback.read(steal_bytes(job), job->is_end_of_file, NULL, file->user_data);
}

void
os_file_read(OsFile *file, gsize count, OsFileRead done, gpointer user_data)
{
    /* Memory that is not touched costs nothing, so all of `count` can be had at once. */
    guint8 *into = g_try_malloc(count);

    if (!into && count > 0) {
        GError *error = NULL;

        qapi_set_errno(&error, ENOMEM, "failed to read file");
        done(NULL, FALSE, error, user_data);
        return;
    }
    file->is_reading = TRUE;
    file->callback.read = done;
    start(file, file->last == LAST_WRITE ? flush_steps : NULL, read_steps,
          &(OsStreamJob){ .into = into, .size = count }, finish_read, user_data);
}

/* Write */

static void
finish_prepare(OsFile *file, GError *error)
{
    if (!error)
        file->last = LAST_NEITHER;
    file->stream.has_failed = FALSE;
    file->callback.done(error, file->user_data);
}

void
os_file_prepare_write(OsFile *file, OsFileDone done, gpointer user_data)
{
    if (file->last != LAST_READ) {
        done(NULL, user_data);
        return;
    }
    file->callback.done = done;
    start(file, NULL, seek_steps, &(OsStreamJob){ .whence = SEEK_CUR }, finish_prepare, user_data);
}

static void
finish_write(OsFile *file, GError *error)
{
    file->stream.has_failed = FALSE;
    if (!error)
        file->last = LAST_WRITE;
    file->callback.done(error, file->user_data);
}

void
os_file_write(OsFile *file, const void *data, gsize size, OsFileDone done, gpointer user_data)
{
    file->callback.done = done;
    start(file, NULL, write_steps, &(OsStreamJob){ .from = data, .size = size }, finish_write,
          user_data);
}

/* Seek */

static void
finish_seek(OsFile *file, GError *error)
{
    /* As upstream, where a pipe that was read can be written after a vain seek. */
    if (!error || file->stream.error == ESPIPE)
        file->last = LAST_NEITHER;
    file->stream.has_failed = FALSE;
    file->callback.sought(error ? -1 : os_stream_tell(&file->stream), error, file->user_data);
}

void
os_file_seek(OsFile *file, gint64 offset, OsFileWhence whence, OsFileSought done,
             gpointer user_data)
{
    static const gint whences[] = { SEEK_SET, SEEK_CUR, SEEK_END }; /* by OsFileWhence */

    file->callback.sought = done;
    start(file, NULL, seek_steps, &(OsStreamJob){ .offset = offset, .whence = whences[whence] },
          finish_seek, user_data);
}

/* Flush */

static void
finish_flush(OsFile *file, GError *error)
{
    if (!error)
        file->last = LAST_NEITHER;
    file->callback.done(error, file->user_data);
}

void
os_file_flush(OsFile *file, OsFileDone done, gpointer user_data)
{
    file->callback.done = done;
    start(file, NULL, flush_steps, &(OsStreamJob){ 0 }, finish_flush, user_data);
}

/* Close */

typedef struct {
    gint fd;
    GError *error; /* of the last flush */
    OsFileDone done;
    gpointer user_data;
} Closing;

static void
close_work(gpointer data)
{
    Closing *closing = data;

    if (close(closing->fd) < 0 && !closing->error)
        qapi_set_errno(&closing->error, errno, "failed to close handle");
}

static void
close_done(gpointer data)
{
    Closing *closing = data;

    closing->done(closing->error, closing->user_data);
    g_free(closing);
}

static void
finish_close(OsFile *file, GError *error)
{
    Closing *closing = g_new(Closing, 1);

    *closing = (Closing){ file->stream.fd, error, file->callback.done, file->user_data };
    file->stream.fd = -1;
    destroy(file);
    ga_task_run(close_work, close_done, closing);
}

void
os_file_close(OsFile *file, OsFileDone done, gpointer user_data)
{
    file->callback.done = done;
    start(file, NULL, close_steps, &(OsStreamJob){ 0 }, finish_close, user_data);
}

void
os_file_free(OsFile *file)
{
    if (!file)
        return;
    if (file->step) {
        file->is_orphan = TRUE;
        return;
    }
    os_stream_start(&file->stream, &(OsStreamJob){ 0 });
    while (os_stream_drain(&file->stream) == OS_STEP_TRANSFER) {
        file->stream.transfer.fd = file->stream.fd;
        os_transfer_perform(&file->stream.transfer);
        file->stream.has_result = TRUE;
    }
    destroy(file);
}
