/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pieces on their way into a file. */
#include "file/piece.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/refusal.h"
#include "runtime/qapi-base64.h"

/* Base64 may be broken into lines. */
#define TEXT_MAX (QAPI_BASE64_SIZE(GA_PIECE_MAX) / 64 * 66)

gboolean
ga_piece_init(GaPiece *piece, guint64 offset, const char *text, const guint64 *hole,
              const char *sha256, GError **error)
{
    gsize size = text ? strlen(text) : 0;

    if (!text == !hole)
        ga_refuse(error, GA_REFUSAL_BAD_VALUE, "either 'buf-b64' or 'hole-bytes' is needed");
    else if (size > TEXT_MAX)
        ga_refuse(error, GA_REFUSAL_BAD_VALUE, "a piece has at most %d bytes", GA_PIECE_MAX);
    else if (offset > G_MAXINT64 - GA_PIECE_MAX || (hole && *hole > G_MAXINT64 - offset))
        ga_refuse(error, GA_REFUSAL_BAD_VALUE, "no file is as long as that");
    else {
        *piece = (GaPiece){ .offset = offset,
                            .text = g_strdup(text),
                            .size = size,
                            .hole = hole ? *hole : 0,
                            .sha256 = g_strdup(sha256) };
        return TRUE;
    }
    return FALSE;
}

void
ga_piece_clear(GaPiece *piece)
{
    g_free(piece->text);
    g_free(piece->sha256);
}

gboolean
ga_piece_decode(GaPiece *piece, GError **error)
{
    g_autoptr(GError) reason = NULL;

    if (!piece->text)
        return TRUE;
    if (!qapi_base64_decode(piece->text, piece->size, &piece->size, &reason)) {
        ga_refuse(error, GA_REFUSAL_BAD_VALUE, "%s", reason->message);
        return FALSE;
    }
    if (piece->size > GA_PIECE_MAX) {
        ga_refuse(error, GA_REFUSAL_BAD_VALUE, "a piece has at most %d bytes", GA_PIECE_MAX);
        return FALSE;
    }
    if (!piece->sha256)
        return TRUE;

    g_autofree char *digest = g_compute_checksum_for_data(G_CHECKSUM_SHA256,
                                                          (const guint8 *)piece->text, piece->size);
    if (g_ascii_strcasecmp(digest, piece->sha256) == 0)
        return TRUE;
    ga_refuse(error, GA_REFUSAL_BAD_VALUE, "the piece has the sha256 %s", digest);
    return FALSE;
}

guint64
ga_piece_end(const GaPiece *piece)
{
    return piece->offset + (piece->text ? piece->size : piece->hole);
}

static gboolean
write_bytes(const GaPiece *piece, gint fd)
{
    gsize done = 0;

    while (done < piece->size) {
        gssize written = pwrite(fd, piece->text + done, piece->size - done,
                                (goffset)(piece->offset + done));
        if (written < 0 && errno != EINTR)
            return FALSE;
        done += written > 0 ? (gsize)written : 0;
    }
    return TRUE;
}

/* What is beyond the end is a hole by itself. */
static gboolean
write_hole(const GaPiece *piece, gint fd)
{
    struct stat status;

    if (fstat(fd, &status) < 0)
        return FALSE;

    guint64 size = (guint64)status.st_size, end = ga_piece_end(piece);
    if (piece->offset < size && piece->hole > 0 &&
        fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (goffset)piece->offset,
                  (goffset)(MIN(end, size) - piece->offset)) < 0)
        return FALSE;
    return end <= size || ftruncate(fd, (goffset)end) == 0;
}

gboolean
ga_piece_write(const GaPiece *piece, gint fd, const char *path, GError **error)
{
    if (piece->text ? write_bytes(piece, fd) : write_hole(piece, fd))
        return TRUE;
    ga_refuse_errno(error, errno, "'%s'", path);
    return FALSE;
}
