/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptors by hand for a schema that has every kind of type:
 *
 *   { 'enum': 'Colour', 'data': [ 'red', 'green', 'blue' ] }
 *   { 'struct': 'Point', 'data': { 'x': 'int', 'y': 'int', '*label': 'str' } }
 *   { 'union': 'Shape', 'base': { 'kind': 'ShapeKind', '*name': 'str' }, 'discriminator': 'kind',
 *     'data': { 'circle': { 'radius': 'number' }, 'polygon': { 'points': [ 'Point' ] } } }
 *   { 'alternate': 'Size', 'data': { 'number': 'int', 'word': 'Colour', 'points': [ 'Point' ] } }
 *   { 'struct': 'Drawing', 'data': { '*title': 'str', ... } }
 *
 * and the arguments of a command that lists something, which are those of NovacronPage:
 *
 *   { 'struct': 'Paging', 'data': { '*since': 'str', ... } }
 */
#pragma once

#include "runtime/qapi-type.h"
#include "runtime/qapi-value.h"

typedef enum {
    COLOUR_RED,
    COLOUR_GREEN,
    COLOUR_BLUE,
} Colour;

typedef struct {
    gint64 x;
    gint64 y;
    char *label;
} Point;

typedef enum {
    SHAPE_KIND_CIRCLE,
    SHAPE_KIND_POLYGON,
} ShapeKind;

typedef struct {
    ShapeKind kind;
    char *name;
    union {
        struct {
            gdouble radius;
        } circle;
        struct {
            GPtrArray *points; /* Point */
        } polygon;
    };
} Shape;

typedef enum {
    SIZE_NUMBER,
    SIZE_WORD,
    SIZE_POINTS,
} SizeBranch;

typedef struct {
    QapiBranch branch;
    union {
        gint64 number;
        Colour word;
        GPtrArray *points; /* Point */
    };
} Size;

typedef struct {
    char *title;
    GPtrArray *shapes; /* Shape */
    Size *size;
    gboolean has_colour;
    Colour colour;
    GBytes *picture;
    QapiAny *extra;
    GArray *flags; /* gboolean */
    gboolean has_level;
    guint8 level;
    gboolean has_count;
    guint64 count;
    gboolean has_offset;
    gint16 offset;
    gboolean has_ratio;
    gdouble ratio;
    GPtrArray *tags; /* char * */
    Point *origin;
} Drawing;

typedef struct {
    char *since;
    char *cursor;
    gboolean has_limit;
    guint32 limit;
    gboolean has_max_bytes;
    guint32 max_bytes;
    GPtrArray *columns; /* char * */
} Paging;

extern const QapiType colour_type;
extern const QapiType point_type;
extern const QapiType shape_type;
extern const QapiType size_type;
extern const QapiType drawing_type; /* every member is optional */
extern const QapiType paging_type;  /* so is every one here */
