/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The writer. All text lies in one buffer, and a list says where in it base64
 * is to be inserted: so a reply without payload is one run of bytes, and the
 * payload stays what it is until the channel takes it.
 *
 * Text is not bounded here: handlers bound what they report, and an echoed
 * `id` is at most six times the bytes the parser lets through.
 */
#include "runtime/qapi-write.h"

#include <math.h>
#include <string.h>

#include "runtime/qapi-base64.h"
#include "runtime/qapi-utf8.h"

#define FIRST_CAPACITY 1024
/* What a writer may keep between replies. */
#define KEPT_CAPACITY (64u << 10)

/* Replaces each invalid sequence in output. */
#define REPLACEMENT_CHARACTER 0xFFFD

typedef struct {
    gsize at; /* offset in the text */
    GBytes *bytes;
} Payload;

struct QapiWriter {
    char *text;
    gsize size;
    gsize capacity;
    GArray *payloads; /* Payload, in order */

    /* what is taken already */
    gsize text_taken;
    guint payloads_taken;
    gsize payload_taken; /* bytes of the payload that is next */
};

static void
clear_payload(gpointer data)
{
    Payload *payload = data;

    g_clear_pointer(&payload->bytes, g_bytes_unref);
}

QapiWriter *
qapi_writer_new(void)
{
    QapiWriter *writer = g_new0(QapiWriter, 1);

    writer->payloads = g_array_new(FALSE, FALSE, sizeof(Payload));
    g_array_set_clear_func(writer->payloads, clear_payload);
    return writer;
}

void
qapi_writer_free(QapiWriter *writer)
{
    if (!writer)
        return;

    g_array_unref(writer->payloads);
    g_free(writer->text);
    g_free(writer);
}

void
qapi_writer_reset(QapiWriter *writer)
{
    if (writer->capacity > KEPT_CAPACITY) {
        g_clear_pointer(&writer->text, g_free);
        writer->capacity = 0;
    }
    g_array_set_size(writer->payloads, 0);
    writer->size = 0;
    writer->text_taken = 0;
    writer->payloads_taken = 0;
    writer->payload_taken = 0;
}

/* Room for `size` more bytes. The caller adds to writer->size what it used. */
static char *
reserve(QapiWriter *writer, gsize size)
{
    if (size > writer->capacity - writer->size) {
        gsize doubled = MAX(2 * writer->capacity, FIRST_CAPACITY);
        writer->capacity = MAX(doubled, writer->size + size);
        writer->text = g_realloc(writer->text, writer->capacity);
    }
    return writer->text + writer->size;
}

void
qapi_writer_raw_size(QapiWriter *writer, const void *text, gsize size)
{
    if (!size)
        return;
    memcpy(reserve(writer, size), text, size);
    writer->size += size;
}

void
qapi_writer_raw(QapiWriter *writer, const char *text)
{
    qapi_writer_raw_size(writer, text, strlen(text));
}

static void
write_unit(QapiWriter *writer, guint32 unit)
{
    static const char digits[] = "0123456789ABCDEF";
    char escape[6] = "\\u";

    for (guint i = 0; i < 4; i++)
        escape[2 + i] = digits[unit >> (12 - 4 * i) & 0xF];

    qapi_writer_raw_size(writer, escape, sizeof(escape));
}

/* The letter that stands for a character after a backslash, NUL if none does. */
static char
letter_of(guint32 code)
{
    switch (code) {
    case '"':
    case '\\':
        return (char)code;
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return 0;
    }
}

static void
write_escaped(QapiWriter *writer, guint32 code)
{
    char letter = letter_of(code);

    if (letter) {
        qapi_writer_raw_size(writer, (const char[]){ '\\', letter }, 2);
    } else if (code < 0x10000) {
        write_unit(writer, code);
    } else {
        write_unit(writer, 0xD800 | (code - 0x10000) >> 10);
        write_unit(writer, 0xDC00 | (code & 0x3FF));
    }
}

void
qapi_writer_string_size(QapiWriter *writer, const char *text, gsize size)
{
    qapi_writer_raw_size(writer, "\"", 1);
    while (size) {
        gsize length = qapi_plain_length(text, size, '"');
        qapi_writer_raw_size(writer, text, length);
        text += length;
        size -= length;
        if (!size)
            break;

        gint32 code = qapi_utf8_decode(text, size, &length);
        write_escaped(writer, code < 0 ? REPLACEMENT_CHARACTER : (guint32)code);
        text += length;
        size -= length;
    }
    qapi_writer_raw_size(writer, "\"", 1);
}

void
qapi_writer_string(QapiWriter *writer, const char *text)
{
    qapi_writer_string_size(writer, text, strlen(text));
}

static void
write_magnitude(QapiWriter *writer, gboolean is_negative, guint64 magnitude)
{
    char digits[21];
    char *start = digits + sizeof(digits);

    do {
        *--start = (char)('0' + magnitude % 10);
        magnitude /= 10;
    } while (magnitude);
    if (is_negative)
        *--start = '-';
    qapi_writer_raw_size(writer, start, (gsize)(digits + sizeof(digits) - start));
}

void
qapi_writer_int64(QapiWriter *writer, gint64 number)
{
    gboolean is_negative = number < 0;

    write_magnitude(writer, is_negative, is_negative ? -(guint64)number : (guint64)number);
}

void
qapi_writer_uint64(QapiWriter *writer, guint64 number)
{
    write_magnitude(writer, FALSE, number);
}

void
qapi_writer_double(QapiWriter *writer, gdouble number)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    /* C libraries spell these in their own ways. */
    if (isnan(number))
        qapi_writer_raw(writer, "nan");
    else if (isinf(number))
        qapi_writer_raw(writer, number < 0 ? "-inf" : "inf");
    else
        qapi_writer_raw(writer, g_ascii_formatd(text, sizeof(text), "%.17g", number));
}

void
qapi_writer_base64(QapiWriter *writer, GBytes *bytes)
{
    qapi_writer_raw_size(writer, "\"", 1);
    if (g_bytes_get_size(bytes)) {
        Payload payload = { writer->size, g_bytes_ref(bytes) };
        g_array_append_val(writer->payloads, payload);
    }
    qapi_writer_raw_size(writer, "\"", 1);
}

/* The payload that is next, if any is left. */
static Payload *
next_payload(const QapiWriter *writer)
{
    if (writer->payloads_taken == writer->payloads->len)
        return NULL;
    return &g_array_index(writer->payloads, Payload, writer->payloads_taken);
}

static gsize
take_text(QapiWriter *writer, gsize end, char *buffer, gsize size)
{
    gsize taken = MIN(size, end - writer->text_taken);

    if (taken)
        memcpy(buffer, writer->text + writer->text_taken, taken);
    writer->text_taken += taken;
    return taken;
}

static gsize
take_payload(QapiWriter *writer, Payload *payload, char *buffer, gsize size)
{
    gsize length;
    const guint8 *data = g_bytes_get_data(payload->bytes, &length);
    gsize left = length - writer->payload_taken;
    gsize piece = MIN(left, size / 4 * 3);

    qapi_base64_encode(data + writer->payload_taken, piece, buffer);
    writer->payload_taken += piece;
    if (piece == left) {
        /* Now, not at the end of the reply: it may be all the memory there is. */
        clear_payload(payload);
        writer->payloads_taken++;
        writer->payload_taken = 0;
    }
    return QAPI_BASE64_SIZE(piece);
}

gsize
qapi_writer_take(QapiWriter *writer, void *buffer, gsize size)
{
    char *out = buffer;
    gsize taken = 0;

    for (;;) {
        Payload *payload = next_payload(writer);
        gsize end = payload ? payload->at : writer->size;
        taken += take_text(writer, end, out + taken, size - taken);
        if (!payload || writer->text_taken < end || size - taken < 4)
            return taken;
        taken += take_payload(writer, payload, out + taken, size - taken);
    }
}

gboolean
qapi_writer_is_empty(const QapiWriter *writer)
{
    return writer->text_taken == writer->size && !next_payload(writer);
}

gsize
qapi_writer_size(const QapiWriter *writer)
{
    gsize size = writer->size - writer->text_taken;

    for (guint i = writer->payloads_taken; i < writer->payloads->len; i++) {
        const Payload *payload = &g_array_index(writer->payloads, Payload, i);
        size += QAPI_BASE64_SIZE(g_bytes_get_size(payload->bytes));
    }
    return size - writer->payload_taken / 3 * 4;
}

char *
qapi_writer_to_text(QapiWriter *writer, gsize *ret_size)
{
    gsize size = qapi_writer_size(writer);
    char *text = g_malloc(size + 1);

    gsize taken = qapi_writer_take(writer, text, size);
    g_warn_if_fail(taken == size);
    text[size] = '\0';
    if (ret_size)
        *ret_size = size;
    return text;
}

static gconstpointer
place_at(gconstpointer object, gssize offset)
{
    return (const char *)object + offset;
}

static gconstpointer
pointer_at(gconstpointer place)
{
    return *(const gconstpointer *)place;
}

static void
write_list(QapiWriter *writer, const QapiType *element, gconstpointer list)
{
    gboolean has_pointers = qapi_kind_is_pointer(element->kind);
    const GPtrArray *pointers = list;
    const GArray *scalars = list;
    gsize step = has_pointers ? sizeof(gpointer) : element->size;
    gconstpointer place = NULL;
    guint length = 0;

    if (list) {
        place = has_pointers ? (gconstpointer)pointers->pdata : scalars->data;
        length = has_pointers ? pointers->len : scalars->len;
    }

    qapi_writer_raw(writer, "[");
    for (guint i = 0; i < length; i++) {
        if (i)
            qapi_writer_raw(writer, ", ");
        qapi_write(writer, element, place_at(place, (gssize)(i * step)));
    }
    qapi_writer_raw(writer, "]");
}

static void
write_members(QapiWriter *writer, const QapiType *type, gconstpointer object)
{
    const char *separator = "";

    for (guint i = 0; i < type->n_members; i++) {
        const QapiMember *member = &type->members[type->wire_order[i]];
        if (!qapi_member_is_present(member, object))
            continue;
        qapi_writer_raw(writer, separator);
        qapi_writer_string(writer, member->name);
        qapi_writer_raw(writer, ": ");
        qapi_write(writer, member->type, place_at(object, member->offset));
        separator = ", ";
    }
}

void
qapi_write_struct(QapiWriter *writer, const QapiType *type, gconstpointer object)
{
    const QapiType *flat = type;

    if (object && type->kind == QAPI_KIND_UNION) {
        guint16 offset = type->members[type->discriminator].offset;
        flat = type->branches[*(const gint *)place_at(object, offset)];
    }
    qapi_writer_raw(writer, "{");
    if (object)
        write_members(writer, flat, object);
    qapi_writer_raw(writer, "}");
}

static void
write_alternate(QapiWriter *writer, const QapiType *type, gconstpointer object)
{
    if (!object) {
        qapi_writer_raw(writer, "null");
        return;
    }

    const QapiMember *branch = &type->members[*(const QapiBranch *)object];
    qapi_write(writer, branch->type, place_at(object, branch->offset));
}

static void
write_any(QapiWriter *writer, const QapiAny *any)
{
    if (any && any->value)
        qapi_write_echo(writer, any->value, any->node);
    else
        qapi_writer_raw(writer, any && any->text ? any->text : "null");
}

static void
write_pointer(QapiWriter *writer, const QapiType *type, gconstpointer object)
{
    switch (type->kind) {
    case QAPI_KIND_STRING:
        qapi_writer_string(writer, object ? object : "");
        break;
    case QAPI_KIND_BASE64:
        /* GBytes has no const functions; none of those used changes it. */
        if (object)
            qapi_writer_base64(writer, (GBytes *)(guintptr)object);
        else
            qapi_writer_string(writer, "");
        break;
    case QAPI_KIND_STRUCT:
    case QAPI_KIND_UNION:
        qapi_write_struct(writer, type, object);
        break;
    case QAPI_KIND_ALTERNATE:
        write_alternate(writer, type, object);
        break;
    case QAPI_KIND_LIST:
        write_list(writer, type->element, object);
        break;
    case QAPI_KIND_ANY:
        write_any(writer, object);
        break;
    default:
        g_return_if_reached();
    }
}

void
qapi_write(QapiWriter *writer, const QapiType *type, gconstpointer place)
{
    switch (type->kind) {
    case QAPI_KIND_BOOL:
        qapi_writer_raw(writer, *(const gboolean *)place ? "true" : "false");
        break;
    case QAPI_KIND_INT8:
        qapi_writer_int64(writer, *(const gint8 *)place);
        break;
    case QAPI_KIND_INT16:
        qapi_writer_int64(writer, *(const gint16 *)place);
        break;
    case QAPI_KIND_INT32:
        qapi_writer_int64(writer, *(const gint32 *)place);
        break;
    case QAPI_KIND_INT64:
        qapi_writer_int64(writer, *(const gint64 *)place);
        break;
    case QAPI_KIND_UINT8:
        qapi_writer_uint64(writer, *(const guint8 *)place);
        break;
    case QAPI_KIND_UINT16:
        qapi_writer_uint64(writer, *(const guint16 *)place);
        break;
    case QAPI_KIND_UINT32:
        qapi_writer_uint64(writer, *(const guint32 *)place);
        break;
    case QAPI_KIND_UINT64:
        qapi_writer_uint64(writer, *(const guint64 *)place);
        break;
    case QAPI_KIND_NUMBER:
        qapi_writer_double(writer, *(const gdouble *)place);
        break;
    case QAPI_KIND_ENUM:
        qapi_writer_string(writer, type->values[*(const gint *)place]);
        break;
    case QAPI_KIND_NULL:
        qapi_writer_raw(writer, "null");
        break;
    default:
        write_pointer(writer, type, pointer_at(place));
        break;
    }
}

void
qapi_write_member(QapiWriter *writer, const QapiMember *member, gconstpointer object)
{
    if (qapi_member_is_present(member, object))
        qapi_write(writer, member->type, place_at(object, member->offset));
    else
        qapi_writer_raw(writer, "null");
}
