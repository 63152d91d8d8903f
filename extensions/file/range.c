/* SPDX-License-Identifier: GPL-2.0-or-later */
/* novacron-file-read and novacron-file-write: a range of a file where it stands. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/account.h"
#include "core/agent.h"
#include "core/refusal.h"
#include "core/work.h"
#include "file/attributes.h"
#include "file/piece.h"
#include "file/place.h"
#include "file/status.h"
#include "gen/file-commands.h"

typedef struct {
    GaPlace *place;
    guint64 offset;
    gsize count;
    gboolean tells_holes;
    char *version; /* NULL: any */
} Reading;

typedef struct {
    GaPlace *place;
    GaPiece piece;
    char *create; /* mode; NULL: the file must be there */
    gboolean truncate;
    gboolean sync;
} Writing;

static void
reading_free(gpointer data)
{
    Reading *reading = data;

    ga_place_free(reading->place);
    g_free(reading->version);
    g_free(reading);
}

static void
writing_free(gpointer data)
{
    Writing *writing = data;

    ga_place_free(writing->place);
    ga_piece_clear(&writing->piece);
    g_free(writing->create);
    g_free(writing);
}

/* How far from here a hole reaches, 0 if there is none or the file system knows none; and where
 * the data end that begin here. */
static guint64
hole_at(gint fd, guint64 offset, guint64 size, guint64 *ret_end)
{
    *ret_end = G_MAXUINT64;
    if (offset >= size)
        return 0;

    goffset data = lseek(fd, (goffset)offset, SEEK_DATA);
    if (data < 0)
        return errno == ENXIO ? size - offset : 0;
    if ((guint64)data > offset)
        return (guint64)data - offset;

    goffset end = lseek(fd, (goffset)offset, SEEK_HOLE);
    if (end > data)
        *ret_end = (guint64)end;
    return 0;
}

/* Fewer only at the end of the file. -1 and errno. */
static gssize
read_bytes(gint fd, guint8 *into, gsize count, guint64 offset)
{
    gsize done = 0;

    while (done < count) {
        gssize got = pread(fd, into + done, count - done, (goffset)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        done += (gsize)got;
    }
    return (gssize)done;
}

static gboolean
read_into(NovacronFilePiece *piece, const Reading *reading, gint fd, gsize count, GError **error)
{
    g_autofree guint8 *bytes = g_malloc(count + 1);
    gssize got = read_bytes(fd, bytes, count, reading->offset);

    if (got < 0) {
        ga_refuse_errno(error, errno, "'%s'", reading->place->path);
        return FALSE;
    }
    piece->count = (guint32)got;
    piece->sha256 = g_compute_checksum_for_data(G_CHECKSUM_SHA256, bytes, (gsize)got);
    piece->buf_b64 = g_bytes_new_take(g_steal_pointer(&bytes), (gsize)got);
    /* Files of /proc say that they have no length. */
    piece->eof = (gsize)got < count ||
                 (piece->size_bytes > 0 && reading->offset + (gsize)got >= piece->size_bytes);
    return TRUE;
}

static NovacronFilePiece *
read_piece(const Reading *reading, gint fd, const struct stat *status, GError **error)
{
    g_autoptr(NovacronFilePiece) piece = g_new0(NovacronFilePiece, 1);
    guint64 end = G_MAXUINT64, size = (guint64)status->st_size;
    gsize count = reading->count;

    piece->size_bytes = size;
    if (reading->tells_holes)
        piece->hole_bytes = hole_at(fd, reading->offset, size, &end);
    piece->has_hole_bytes = piece->hole_bytes > 0;
    if (piece->has_hole_bytes)
        count = 0;
    count = (gsize)MIN(count, end - reading->offset);
    if (!read_into(piece, reading, fd, count, error))
        return NULL;
    if (piece->has_hole_bytes)
        piece->eof = reading->offset + piece->hole_bytes >= size;
    return g_steal_pointer(&piece);
}

/* NULL: refused, since it is not the one that the client has begun with. */
static char *
check_version(const Reading *reading, gint fd, struct stat *ret_status, GError **error)
{
    if (fstat(fd, ret_status) < 0) {
        ga_refuse_errno(error, errno, "'%s'", reading->place->path);
        return NULL;
    }
    g_autofree char *version = ga_file_version(ret_status);
    if (!reading->version || strcmp(version, reading->version) == 0)
        return g_steal_pointer(&version);
    ga_refuse(error, GA_REFUSAL_PLAN_CHANGED, "'%s' was changed", reading->place->path);
    return NULL;
}

static gpointer
read_range(gpointer data, GError **error)
{
    const Reading *reading = data;
    struct stat status;
    g_auto(GaFd) fd = ga_place_open(reading->place, O_RDONLY, error);

    if (fd < 0)
        return NULL;
    g_autofree char *before = check_version(reading, fd, &status, error);
    g_autoptr(NovacronFilePiece) piece = before ? read_piece(reading, fd, &status, error) : NULL;
    /* What was written meanwhile may be in it. */
    g_autofree char *after = piece ? check_version(reading, fd, &status, error) : NULL;
    if (!after)
        return NULL;
    piece->version = g_steal_pointer(&before);
    return g_steal_pointer(&piece);
}

static gboolean
check_range(guint64 offset, guint count, GError **error)
{
    if (count > GA_PIECE_MAX)
        ga_refuse(error, GA_REFUSAL_BAD_VALUE, "count is at most %d", GA_PIECE_MAX);
    else if (offset > G_MAXINT64 - GA_PIECE_MAX)
        ga_refuse(error, GA_REFUSAL_BAD_VALUE, "no file is as long as that");
    else
        return TRUE;
    return FALSE;
}

void
novacron_file_read(GaCall *call, const NovacronFileReadArgs *args)
{
    GError *error = NULL;
    guint64 offset = args->has_offset ? args->offset : 0;
    guint count = args->has_count ? args->count : GA_PIECE_DEFAULT;
    GaPlace *place = check_range(offset, count, &error)
                         ? ga_place_new(args->path, args->resolve, &error)
                         : NULL;

    ga_account(ga_agent_account(ga_call_agent(call)), "novacron-file-read",
               "novacron-file-read called, path: %s, offset: %" G_GUINT64_FORMAT, args->path,
               offset);
    if (!place) {
        ga_call_fail(call, error);
        return;
    }
    Reading *reading = g_new(Reading, 1);
    *reading = (Reading){ place, offset, count, args->holes, g_strdup(args->version) };
    ga_work_run(call, read_range, reading, reading_free);
}

static GaFd
open_to_write(const Writing *writing, GError **error)
{
    guint mode;

    if (!writing->create)
        return ga_place_open(writing->place, O_WRONLY, error);
    if (!ga_mode_parse(writing->create, &mode, error))
        return -1;
    return ga_place_open_or_create(writing->place, O_WRONLY, mode, error);
}

/* FALSE and errno. */
static gboolean
finish_write(const Writing *writing, gint fd, guint64 *ret_size)
{
    struct stat status;

    if (writing->truncate && ftruncate(fd, (goffset)ga_piece_end(&writing->piece)) < 0)
        return FALSE;
    if ((writing->sync && fdatasync(fd) < 0) || fstat(fd, &status) < 0)
        return FALSE;
    *ret_size = (guint64)status.st_size;
    return TRUE;
}

static gpointer
write_range(gpointer data, GError **error)
{
    Writing *writing = data;
    guint64 size;

    if (!ga_piece_decode(&writing->piece, error))
        return NULL;
    g_auto(GaFd) fd = open_to_write(writing, error);
    if (fd < 0 || !ga_piece_write(&writing->piece, fd, writing->place->path, error))
        return NULL;
    if (!finish_write(writing, fd, &size)) {
        ga_refuse_errno(error, errno, "'%s'", writing->place->path);
        return NULL;
    }
    NovacronFileWritten *written = g_new(NovacronFileWritten, 1);
    written->size_bytes = size;
    return written;
}

void
novacron_file_write(GaCall *call, const NovacronFileWriteArgs *args)
{
    GError *error = NULL;
    guint64 offset = args->has_offset ? args->offset : 0;
    GaPlace *place = ga_place_new(args->path, args->resolve, &error);
    g_autofree Writing *writing = g_new0(Writing, 1);

    ga_account(ga_agent_account(ga_call_agent(call)), "novacron-file-write",
               "novacron-file-write called, path: %s, offset: %" G_GUINT64_FORMAT, args->path,
               offset);
    if (!place ||
        !ga_piece_init(&writing->piece, offset, args->buf_b64,
                       args->has_hole_bytes ? &args->hole_bytes : NULL, args->sha256, &error)) {
        ga_place_free(place);
        ga_call_fail(call, error);
        return;
    }
    writing->place = place;
    writing->create = g_strdup(args->create);
    writing->truncate = args->truncate;
    writing->sync = args->sync;
    ga_work_run(call, write_range, g_steal_pointer(&writing), writing_free);
}
