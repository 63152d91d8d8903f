/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The writer: C structs to the bytes of a reply, in upstream's spacing, escapes,
 * number format and member order.
 *
 * What is written becomes a list of segments, text or bytes that are still to be
 * base64-encoded, which qapi_writer_take() turns into output piece by piece as
 * the channel accepts it. So a read of 48 MiB costs 48 MiB, not 112.
 */
#pragma once

#include "runtime/qapi-type.h"
#include "runtime/qapi-value.h"

typedef struct QapiWriter QapiWriter;

QapiWriter *qapi_writer_new(void);
void qapi_writer_free(QapiWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(QapiWriter, qapi_writer_free)

/* Text that is JSON already. */
void qapi_writer_raw(QapiWriter *writer, const char *text);
void qapi_writer_raw_size(QapiWriter *writer, const void *text, gsize size);

/* A JSON string: quoted and escaped; invalid UTF-8 becomes U+FFFD as upstream does it. */
void qapi_writer_string(QapiWriter *writer, const char *text);
void qapi_writer_string_size(QapiWriter *writer, const char *text, gsize size);
void qapi_writer_int64(QapiWriter *writer, gint64 number);
void qapi_writer_uint64(QapiWriter *writer, guint64 number);
void qapi_writer_double(QapiWriter *writer, gdouble number);

/* A base64 string, encoded when it is taken. Takes a reference. */
void qapi_writer_base64(QapiWriter *writer, GBytes *bytes);

/* A value of `type`; `place` is where a member of that type would stand: the address of the
 * pointer or of the scalar. A mandatory pointer that is NULL is written as "", [], {} or null. */
void qapi_write(QapiWriter *writer, const QapiType *type, gconstpointer place);

/* A struct at `object` (which is what a pointer member would point to). */
void qapi_write_struct(QapiWriter *writer, const QapiType *type, gconstpointer object);

/* The value of one member of a struct at `object`; null where it is absent. */
void qapi_write_member(QapiWriter *writer, const QapiMember *member, gconstpointer object);

/* What a client sent, serialised anew: for `id` and for 'any'. */
void qapi_write_echo(QapiWriter *writer, const QapiValue *value, const QapiNode *node);

/* Move up to `size` bytes of output to `buffer`. Returns their number; fewer than `size`
 * (within the last 4 bytes) only at the end or before a base64 group that does not fit. */
gsize qapi_writer_take(QapiWriter *writer, void *buffer, gsize size);

/* How many bytes of output are left to take. */
gsize qapi_writer_size(const QapiWriter *writer);

/* Nothing is left to take. */
gboolean qapi_writer_is_empty(const QapiWriter *writer);

/* Ready for the next reply; keeps small buffers, gives large ones back. */
void qapi_writer_reset(QapiWriter *writer);

/* All that is left, as one NUL-terminated text. For files, records and tests. */
char *qapi_writer_to_text(QapiWriter *writer, gsize *ret_size);

/* Upstream's order of the members of any object: ascending buckets (0-511) of their keys, the one
 * inserted last first where they share one. */
#define QAPI_KEY_BUCKETS 512
guint qapi_key_bucket(const char *key);

/* From the buckets of members in the order of insertion to the members' numbers in wire order. */
void qapi_wire_order(const guint16 *buckets, guint32 n_members, guint32 *ret_order);
