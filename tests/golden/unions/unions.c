/* Generated from unions.json by qapigen: do not edit. */
#include "gen/unions.h"

static const QapiType number_list_type = {
    .name = "numberList",
    .kind = QAPI_KIND_LIST,
    .element = &qapi_type_number,
};

G_STATIC_ASSERT(sizeof(GuestShape) <= G_MAXINT16);

static const QapiMember guest_shape_as_circle_members[] = {
    { "kind", offsetof(GuestShape, kind), QAPI_MANDATORY, &guest_shape_kind_type },
    { "label", offsetof(GuestShape, label), QAPI_BY_POINTER, &qapi_type_string },
    { "scale", offsetof(GuestShape, scale), QAPI_MANDATORY, &qapi_type_number },
    { "radius", offsetof(GuestShape, u.circle.radius), QAPI_MANDATORY, &qapi_type_number },
    { "filled", offsetof(GuestShape, u.circle.filled), offsetof(GuestShape, u.circle.has_filled),
      &qapi_type_bool },
};

static const guint8 guest_shape_as_circle_order[] = { 3, 2, 1, 4, 0 };

static const QapiType guest_shape_as_circle_type = {
    .name = "GuestShape",
    .kind = QAPI_KIND_STRUCT,
    .size = sizeof(GuestShape),
    .n_members = 5,
    .members = guest_shape_as_circle_members,
    .wire_order = guest_shape_as_circle_order,
};

static const QapiMember guest_shape_as_unix_members[] = {
    { "kind", offsetof(GuestShape, kind), QAPI_MANDATORY, &guest_shape_kind_type },
    { "label", offsetof(GuestShape, label), QAPI_BY_POINTER, &qapi_type_string },
    { "scale", offsetof(GuestShape, scale), QAPI_MANDATORY, &qapi_type_number },
    { "radius", offsetof(GuestShape, u.q_unix.radius), QAPI_MANDATORY, &qapi_type_number },
    { "filled", offsetof(GuestShape, u.q_unix.filled), offsetof(GuestShape, u.q_unix.has_filled),
      &qapi_type_bool },
    { "corners", offsetof(GuestShape, u.q_unix.corners), QAPI_MANDATORY, &number_list_type },
};

static const guint8 guest_shape_as_unix_order[] = { 3, 5, 2, 1, 4, 0 };

static const QapiType guest_shape_as_unix_type = {
    .name = "GuestShape",
    .kind = QAPI_KIND_STRUCT,
    .size = sizeof(GuestShape),
    .n_members = 6,
    .members = guest_shape_as_unix_members,
    .wire_order = guest_shape_as_unix_order,
};

static const QapiMember guest_shape_base_only_members[] = {
    { "kind", offsetof(GuestShape, kind), QAPI_MANDATORY, &guest_shape_kind_type },
    { "label", offsetof(GuestShape, label), QAPI_BY_POINTER, &qapi_type_string },
    { "scale", offsetof(GuestShape, scale), QAPI_MANDATORY, &qapi_type_number },
};

static const guint8 guest_shape_base_only_order[] = { 2, 1, 0 };

static const QapiType guest_shape_base_only_type = {
    .name = "GuestShape",
    .kind = QAPI_KIND_STRUCT,
    .size = sizeof(GuestShape),
    .n_members = 3,
    .members = guest_shape_base_only_members,
    .wire_order = guest_shape_base_only_order,
};

static const QapiType *const guest_shape_branches[] = {
    &guest_shape_base_only_type, &guest_shape_as_circle_type, &guest_shape_as_unix_type,
    &guest_shape_base_only_type,
};

const QapiType guest_shape_type = {
    .name = "GuestShape",
    .kind = QAPI_KIND_UNION,
    .size = sizeof(GuestShape),
    .n_members = 3,
    .members = guest_shape_base_only_members,
    .discriminator = 0,
    .branches = guest_shape_branches,
};

void
guest_shape_free(GuestShape *object)
{
    qapi_free(&guest_shape_type, object);
}

static const char *const guest_shape_kind_values[] = { "point", "circle", "unix", "poly-line" };

const QapiType guest_shape_kind_type = {
    .name = "GuestShapeKind",
    .kind = QAPI_KIND_ENUM,
    .size = sizeof(GuestShapeKind),
    .n_values = 4,
    .values = guest_shape_kind_values,
};

G_STATIC_ASSERT(sizeof(GuestCircle) <= G_MAXINT16);

static const QapiMember guest_circle_members[] = {
    { "radius", offsetof(GuestCircle, radius), QAPI_MANDATORY, &qapi_type_number },
    { "filled", offsetof(GuestCircle, filled), offsetof(GuestCircle, has_filled),
      &qapi_type_bool },
};

static const guint8 guest_circle_order[] = { 0, 1 };

const QapiType guest_circle_type = {
    .name = "GuestCircle",
    .kind = QAPI_KIND_STRUCT,
    .size = sizeof(GuestCircle),
    .n_members = 2,
    .members = guest_circle_members,
    .wire_order = guest_circle_order,
};

void
guest_circle_free(GuestCircle *object)
{
    qapi_free(&guest_circle_type, object);
}

G_STATIC_ASSERT(sizeof(GuestPolygon) <= G_MAXINT16);

static const QapiMember guest_polygon_members[] = {
    { "radius", offsetof(GuestPolygon, radius), QAPI_MANDATORY, &qapi_type_number },
    { "filled", offsetof(GuestPolygon, filled), offsetof(GuestPolygon, has_filled),
      &qapi_type_bool },
    { "corners", offsetof(GuestPolygon, corners), QAPI_MANDATORY, &number_list_type },
};

static const guint8 guest_polygon_order[] = { 0, 2, 1 };

const QapiType guest_polygon_type = {
    .name = "GuestPolygon",
    .kind = QAPI_KIND_STRUCT,
    .size = sizeof(GuestPolygon),
    .n_members = 3,
    .members = guest_polygon_members,
    .wire_order = guest_polygon_order,
};

void
guest_polygon_free(GuestPolygon *object)
{
    qapi_free(&guest_polygon_type, object);
}

G_STATIC_ASSERT(sizeof(GuestHead) <= G_MAXINT16);

static const QapiMember guest_head_members[] = {
    { "size", offsetof(GuestHead, size), QAPI_MANDATORY, &qapi_type_uint64 },
    { "type", offsetof(GuestHead, type), QAPI_MANDATORY, &guest_whole_type },
};

static const guint8 guest_head_order[] = { 0, 1 };

const QapiType guest_head_type = {
    .name = "GuestHead",
    .kind = QAPI_KIND_STRUCT,
    .size = sizeof(GuestHead),
    .n_members = 2,
    .members = guest_head_members,
    .wire_order = guest_head_order,
};

static const char *const guest_whole_values[] = { "shape", "empty" };

const QapiType guest_whole_type = {
    .name = "GuestWhole",
    .kind = QAPI_KIND_ENUM,
    .size = sizeof(GuestWhole),
    .n_values = 2,
    .values = guest_whole_values,
};

G_STATIC_ASSERT(sizeof(GuestAll) <= G_MAXINT16);

static const QapiMember guest_all_as_shape_members[] = {
    { "size", offsetof(GuestAll, size), QAPI_MANDATORY, &qapi_type_uint64 },
    { "type", offsetof(GuestAll, type), QAPI_MANDATORY, &guest_whole_type },
    { "shape", offsetof(GuestAll, u.shape.shape), QAPI_MANDATORY, &guest_shape_type },
    { "next", offsetof(GuestAll, u.shape.next), QAPI_BY_POINTER, &guest_all_type },
};

static const guint8 guest_all_as_shape_order[] = { 2, 0, 3, 1 };

static const QapiType guest_all_as_shape_type = {
    .name = "GuestAll",
    .kind = QAPI_KIND_STRUCT,
    .size = sizeof(GuestAll),
    .n_members = 4,
    .members = guest_all_as_shape_members,
    .wire_order = guest_all_as_shape_order,
};

static const QapiMember guest_all_as_empty_members[] = {
    { "size", offsetof(GuestAll, size), QAPI_MANDATORY, &qapi_type_uint64 },
    { "type", offsetof(GuestAll, type), QAPI_MANDATORY, &guest_whole_type },
};

static const guint8 guest_all_as_empty_order[] = { 0, 1 };

static const QapiType guest_all_as_empty_type = {
    .name = "GuestAll",
    .kind = QAPI_KIND_STRUCT,
    .size = sizeof(GuestAll),
    .n_members = 2,
    .members = guest_all_as_empty_members,
    .wire_order = guest_all_as_empty_order,
};

static const QapiMember guest_all_members[] = {
    { "size", offsetof(GuestAll, size), QAPI_MANDATORY, &qapi_type_uint64 },
    { "type", offsetof(GuestAll, type), QAPI_MANDATORY, &guest_whole_type },
};

static const QapiType *const guest_all_branches[] = {
    &guest_all_as_shape_type, &guest_all_as_empty_type,
};

const QapiType guest_all_type = {
    .name = "GuestAll",
    .kind = QAPI_KIND_UNION,
    .size = sizeof(GuestAll),
    .n_members = 2,
    .members = guest_all_members,
    .discriminator = 1,
    .branches = guest_all_branches,
};

void
guest_all_free(GuestAll *object)
{
    qapi_free(&guest_all_type, object);
}

G_STATIC_ASSERT(sizeof(GuestHolder) <= G_MAXINT16);

static const QapiMember guest_holder_members[] = {
    { "shape", offsetof(GuestHolder, shape), QAPI_MANDATORY, &guest_shape_type },
    { "next", offsetof(GuestHolder, next), QAPI_BY_POINTER, &guest_all_type },
};

static const guint8 guest_holder_order[] = { 0, 1 };

const QapiType guest_holder_type = {
    .name = "GuestHolder",
    .kind = QAPI_KIND_STRUCT,
    .size = sizeof(GuestHolder),
    .n_members = 2,
    .members = guest_holder_members,
    .wire_order = guest_holder_order,
};

void
guest_holder_free(GuestHolder *object)
{
    qapi_free(&guest_holder_type, object);
}

G_STATIC_ASSERT(sizeof(GuestNothing) <= G_MAXINT16);

const QapiType guest_nothing_type = {
    .name = "GuestNothing",
    .kind = QAPI_KIND_STRUCT,
    .size = sizeof(GuestNothing),
};

void
guest_nothing_free(GuestNothing *object)
{
    qapi_free(&guest_nothing_type, object);
}

G_STATIC_ASSERT(sizeof(GuestAnyShape) <= G_MAXINT16);

static const QapiMember guest_any_shape_members[] = {
    { "none", offsetof(GuestAnyShape, u.none), QAPI_MANDATORY, &qapi_type_null },
    { "flag", offsetof(GuestAnyShape, u.flag), QAPI_MANDATORY, &qapi_type_bool },
    { "number", offsetof(GuestAnyShape, u.number), QAPI_MANDATORY, &qapi_type_int64 },
    { "name", offsetof(GuestAnyShape, u.name), QAPI_MANDATORY, &guest_shape_kind_type },
    { "one", offsetof(GuestAnyShape, u.one), QAPI_MANDATORY, &guest_shape_type },
};

const QapiType guest_any_shape_type = {
    .name = "GuestAnyShape",
    .kind = QAPI_KIND_ALTERNATE,
    .size = sizeof(GuestAnyShape),
    .n_members = 5,
    .members = guest_any_shape_members,
};

G_STATIC_ASSERT(sizeof(GuestDrawArgs) <= G_MAXINT16);

static const QapiMember guest_draw_args_members[] = {
    { "what", offsetof(GuestDrawArgs, what), QAPI_MANDATORY, &guest_any_shape_type },
    { "where", offsetof(GuestDrawArgs, where), QAPI_BY_POINTER, &guest_head_type },
};

static const guint8 guest_draw_args_order[] = { 0, 1 };

const QapiType guest_draw_args_type = {
    .name = "GuestDrawArgs",
    .kind = QAPI_KIND_STRUCT,
    .size = sizeof(GuestDrawArgs),
    .n_members = 2,
    .members = guest_draw_args_members,
    .wire_order = guest_draw_args_order,
};

const QapiType guest_shape_list_type = {
    .name = "GuestShapeList",
    .kind = QAPI_KIND_LIST,
    .element = &guest_shape_type,
};
