/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The descriptor vocabulary: what the generator writes about a schema type and
 * what qapi_read(), qapi_write() and qapi_free() interpret.
 *
 * C representation of a member, by kind:
 *
 *   scalar, enum             the value itself; if optional, with a gboolean has_NAME before it
 *   string                   char *
 *   base64                   GBytes * (a `str` member with the feature 'base64', outside arguments;
 *                            in arguments it is char *, the text as sent: see qapi-base64.h)
 *   struct, union, alternate a pointer to the generated struct
 *   list of scalars or enums GArray *
 *   list of anything else    GPtrArray *, its elements without a free function of their own
 *   any                      QapiAny *
 *   null                     gboolean (never looked at)
 *
 * An absent optional member of pointer kind is NULL. A mandatory string that a
 * handler left NULL is written as "" (clients index into it).
 */
#pragma once

#include <glib.h>

typedef enum {
    QAPI_KIND_BOOL,
    QAPI_KIND_INT8,
    QAPI_KIND_INT16,
    QAPI_KIND_INT32,
    QAPI_KIND_INT64,
    QAPI_KIND_UINT8,
    QAPI_KIND_UINT16,
    QAPI_KIND_UINT32,
    QAPI_KIND_UINT64,
    QAPI_KIND_NUMBER,
    QAPI_KIND_STRING,
    QAPI_KIND_BASE64,
    QAPI_KIND_ENUM,
    QAPI_KIND_STRUCT,
    QAPI_KIND_UNION,
    QAPI_KIND_ALTERNATE,
    QAPI_KIND_LIST,
    QAPI_KIND_ANY,
    QAPI_KIND_NULL,
} QapiKind;

typedef struct QapiType QapiType;
typedef struct QapiMember QapiMember;

/* QapiMember.has: where presence is kept. Otherwise the offset of has_NAME. */
#define QAPI_MANDATORY (-1)
#define QAPI_BY_POINTER (-2) /* optional; absent is NULL */

struct QapiMember {
    const char *name; /* on the wire */
    guint16 offset;   /* of the value in the C struct */
    gint16 has;
    const QapiType *type;
};

struct QapiType {
    const char *name; /* in the schema; an alternate's is part of error texts */
    QapiKind kind;
    guint16 size; /* of the C struct (struct, union, alternate) or of the scalar */
    /* struct: all members, base first. Union: the base members.
     * Alternate: the branches, `offset` being that of the branch's value. Schema order. */
    guint16 n_members;
    const QapiMember *members;
    /* struct: n_members indices into `members`, in the order of the wire */
    const guint8 *wire_order;
    /* list */
    const QapiType *element;
    /* enum: n_values names */
    guint16 n_values;
    const char *const *values;
    /* union: which base member is the discriminator (an enum), and for each of its
     * values a flat struct descriptor (base and branch members ordered together) */
    guint16 discriminator;
    const QapiType *const *branches;
};

/* An alternate's C struct starts with this: the index of the branch it holds. */
typedef gint QapiBranch;

extern const QapiType qapi_type_bool;
extern const QapiType qapi_type_int8;
extern const QapiType qapi_type_int16;
extern const QapiType qapi_type_int32;
extern const QapiType qapi_type_int64; /* the schema's int */
extern const QapiType qapi_type_uint8;
extern const QapiType qapi_type_uint16;
extern const QapiType qapi_type_uint32;
extern const QapiType qapi_type_uint64; /* and size */
extern const QapiType qapi_type_number;
extern const QapiType qapi_type_string;
extern const QapiType qapi_type_base64;
extern const QapiType qapi_type_any;
extern const QapiType qapi_type_null;

/* TRUE for the kinds whose C representation is a pointer. */
gboolean qapi_kind_is_pointer(QapiKind kind);

/* Whether an object has the member: a mandatory one always. */
gboolean qapi_member_is_present(const QapiMember *member, gconstpointer object);

/* Free what a member of `type` points to, and everything below it. NULL is fine. */
void qapi_free(const QapiType *type, gpointer object);

/* Free what a struct in the caller's memory points to and zero it.
 * With `borrowed`, strings belong to the frame they were read from and stay. */
void qapi_clear(const QapiType *type, gpointer object, gboolean borrowed);

/* The number of the enum value `name`, or -1. */
gint qapi_enum_parse(const QapiType *type, const char *name);
