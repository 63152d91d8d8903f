/* Generated from unions.json by qapigen: do not edit. */
#pragma once

#include "runtime/qapi-type.h"

typedef enum {
    GUEST_SHAPE_KIND_POINT,
    GUEST_SHAPE_KIND_CIRCLE,
    GUEST_SHAPE_KIND_UNIX,
    GUEST_SHAPE_KIND_POLY_LINE,
} GuestShapeKind;
extern const QapiType guest_shape_kind_type;

typedef enum {
    GUEST_WHOLE_SHAPE,
    GUEST_WHOLE_EMPTY,
} GuestWhole;
extern const QapiType guest_whole_type;

typedef struct GuestShape GuestShape;
typedef struct GuestCircle GuestCircle;
typedef struct GuestPolygon GuestPolygon;
typedef struct GuestHead GuestHead;
typedef struct GuestAll GuestAll;
typedef struct GuestHolder GuestHolder;
typedef struct GuestNothing GuestNothing;
typedef struct GuestAnyShape GuestAnyShape;
typedef struct GuestDrawArgs GuestDrawArgs;

struct GuestCircle {
    gdouble radius;
    gboolean has_filled;
    gboolean filled;
};
extern const QapiType guest_circle_type;
void guest_circle_free(GuestCircle *object);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestCircle, guest_circle_free)

struct GuestPolygon {
    gdouble radius;
    gboolean has_filled;
    gboolean filled;
    GArray *corners;
};
extern const QapiType guest_polygon_type;
void guest_polygon_free(GuestPolygon *object);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestPolygon, guest_polygon_free)

struct GuestShape {
    GuestShapeKind kind;
    char *label;
    gdouble scale;
    union {
        GuestCircle circle;
        GuestPolygon q_unix;
    } u;
};
extern const QapiType guest_shape_type;
void guest_shape_free(GuestShape *object);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestShape, guest_shape_free)

struct GuestHead {
    guint64 size;
    GuestWhole type;
};
extern const QapiType guest_head_type;

struct GuestHolder {
    GuestShape *shape;
    GuestAll *next;
};
extern const QapiType guest_holder_type;
void guest_holder_free(GuestHolder *object);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestHolder, guest_holder_free)

struct GuestNothing {
    char dummy; /* C has no empty structs */
};
extern const QapiType guest_nothing_type;
void guest_nothing_free(GuestNothing *object);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestNothing, guest_nothing_free)

struct GuestAll {
    guint64 size;
    GuestWhole type;
    union {
        GuestHolder shape;
        GuestNothing empty;
    } u;
};
extern const QapiType guest_all_type;
void guest_all_free(GuestAll *object);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestAll, guest_all_free)

typedef enum {
    GUEST_ANY_SHAPE_NONE, GUEST_ANY_SHAPE_FLAG, GUEST_ANY_SHAPE_NUMBER, GUEST_ANY_SHAPE_NAME,
    GUEST_ANY_SHAPE_ONE,
} GuestAnyShapeBranch;

struct GuestAnyShape {
    QapiBranch branch; /* a GuestAnyShapeBranch */
    union {
        gboolean none;
        gboolean flag;
        gint64 number;
        GuestShapeKind name;
        GuestShape *one;
    } u;
};
extern const QapiType guest_any_shape_type;

struct GuestDrawArgs {
    GuestAnyShape *what;
    GuestHead *where;
};
extern const QapiType guest_draw_args_type;

extern const QapiType guest_shape_list_type;
