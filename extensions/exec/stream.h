/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What comes out of a descriptor, kept until it is read, in a room of fixed size. Bytes have
 * the offset from the beginning of the stream as their name, so that a reader can come back.
 */
#pragma once

#include <glib.h>

typedef struct ExecStream ExecStream;

/* There is something new: bytes, or the end. From the main loop. */
typedef void (*ExecStreamNews)(gpointer owner);

/* Takes the descriptor. With `holds`, a full room stops reading it; else the oldest is dropped. */
ExecStream *exec_stream_new(gint fd, gsize room, gboolean holds, ExecStreamNews news,
                            gpointer owner);
void exec_stream_free(ExecStream *stream);

/* Whether a read from this offset would bring anything: bytes, or the end. */
gboolean exec_stream_has_news(const ExecStream *stream, guint64 offset);

/* FALSE: the offset is beyond what has come. */
gboolean exec_stream_knows(const ExecStream *stream, guint64 offset);

/* A reader has all before this offset: a stream that holds gives it up, and goes on. */
void exec_stream_release(ExecStream *stream, guint64 offset);

/* How many there are from there on. */
gsize exec_stream_count(const ExecStream *stream, guint64 offset);

/* Up to `size` bytes from there; they begin at *ret_offset, which is later where bytes were
 * dropped. */
GBytes *exec_stream_read(const ExecStream *stream, guint64 offset, gsize size, guint64 *ret_offset);

/* All has come, and nothing lies behind this offset. */
gboolean exec_stream_is_over(const ExecStream *stream, guint64 offset);

/* No more will come, whoever still has the other end. */
void exec_stream_end(ExecStream *stream);

/* Of a terminal, for input and size; -1 when it has ended. */
gint exec_stream_fd(const ExecStream *stream);
