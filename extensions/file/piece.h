/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A piece that a client wants written: bytes, or a hole. */
#pragma once

#include <glib.h>

/* In a reply before base64: as much as a slow virtio port carries in some tens of milliseconds,
 * and small enough for a channel that others wait for. */
#define GA_PIECE_DEFAULT (32 * 1024)
#define GA_PIECE_MAX (512 * 1024)

/* 64 hexadecimal digits. */
#define GA_SHA256_LENGTH 64

typedef struct {
    guint64 offset;
    char *text; /* base64, in place of which come the bytes; NULL: a hole */
    gsize size; /* of the text, then of the bytes */
    guint64 hole;
    char *sha256; /* NULL: not told */
} GaPiece;

/* Take what the client has sent; may be refused. Nothing is to be cleared then. */
gboolean ga_piece_init(GaPiece *piece, guint64 offset, const char *text, const guint64 *hole,
                       const char *sha256, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void ga_piece_clear(GaPiece *piece);

/* From the text to bytes that have the digest; for threads, before the next one. */
gboolean ga_piece_decode(GaPiece *piece, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Where the piece ends. */
guint64 ga_piece_end(const GaPiece *piece);

/* For threads. `path` is for errors. */
gboolean ga_piece_write(const GaPiece *piece, gint fd, const char *path,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
