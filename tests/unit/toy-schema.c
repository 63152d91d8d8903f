/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the generator would write for the schema in toy-schema.h. */
#include "toy-schema.h"

static const char *const colour_names[] = { "red", "green", "blue" };
const QapiType colour_type = {
    .name = "Colour",
    .kind = QAPI_KIND_ENUM,
    .size = sizeof(Colour),
    .n_values = G_N_ELEMENTS(colour_names),
    .values = colour_names,
};

static const QapiMember point_members[] = {
    { "x", G_STRUCT_OFFSET(Point, x), QAPI_MANDATORY, &qapi_type_int64 },
    { "y", G_STRUCT_OFFSET(Point, y), QAPI_MANDATORY, &qapi_type_int64 },
    { "label", G_STRUCT_OFFSET(Point, label), QAPI_BY_POINTER, &qapi_type_string },
};
static const guint8 point_order[] = { 0, 1, 2 };
const QapiType point_type = {
    .name = "Point",
    .kind = QAPI_KIND_STRUCT,
    .size = sizeof(Point),
    .n_members = G_N_ELEMENTS(point_members),
    .members = point_members,
    .wire_order = point_order,
};
static const QapiType points_type = { .kind = QAPI_KIND_LIST, .element = &point_type };

static const char *const shape_kind_names[] = { "circle", "polygon" };
static const QapiType shape_kind_type = {
    .name = "ShapeKind",
    .kind = QAPI_KIND_ENUM,
    .size = sizeof(ShapeKind),
    .n_values = G_N_ELEMENTS(shape_kind_names),
    .values = shape_kind_names,
};

static const guint8 branch_order[] = { 1, 2, 0 };
static const QapiMember circle_members[] = {
    { "kind", G_STRUCT_OFFSET(Shape, kind), QAPI_MANDATORY, &shape_kind_type },
    { "name", G_STRUCT_OFFSET(Shape, name), QAPI_BY_POINTER, &qapi_type_string },
    { "radius", G_STRUCT_OFFSET(Shape, circle.radius), QAPI_MANDATORY, &qapi_type_number },
};
static const QapiType circle_type = {
    .name = "Shape",
    .kind = QAPI_KIND_STRUCT,
    .size = sizeof(Shape),
    .n_members = G_N_ELEMENTS(circle_members),
    .members = circle_members,
    .wire_order = branch_order,
};
static const QapiMember polygon_members[] = {
    { "kind", G_STRUCT_OFFSET(Shape, kind), QAPI_MANDATORY, &shape_kind_type },
    { "name", G_STRUCT_OFFSET(Shape, name), QAPI_BY_POINTER, &qapi_type_string },
    { "points", G_STRUCT_OFFSET(Shape, polygon.points), QAPI_MANDATORY, &points_type },
};
static const QapiType polygon_type = {
    .name = "Shape",
    .kind = QAPI_KIND_STRUCT,
    .size = sizeof(Shape),
    .n_members = G_N_ELEMENTS(polygon_members),
    .members = polygon_members,
    .wire_order = branch_order,
};
static const QapiType *const shape_branches[] = { &circle_type, &polygon_type };
const QapiType shape_type = {
    .name = "Shape",
    .kind = QAPI_KIND_UNION,
    .size = sizeof(Shape),
    .n_members = 2,
    .members = circle_members,
    .discriminator = 0,
    .branches = shape_branches,
};
static const QapiType shapes_type = { .kind = QAPI_KIND_LIST, .element = &shape_type };

static const QapiMember size_members[] = {
    { "number", G_STRUCT_OFFSET(Size, number), QAPI_MANDATORY, &qapi_type_int64 },
    { "word", G_STRUCT_OFFSET(Size, word), QAPI_MANDATORY, &colour_type },
    { "points", G_STRUCT_OFFSET(Size, points), QAPI_MANDATORY, &points_type },
};
const QapiType size_type = {
    .name = "Size",
    .kind = QAPI_KIND_ALTERNATE,
    .size = sizeof(Size),
    .n_members = G_N_ELEMENTS(size_members),
    .members = size_members,
};

static const QapiType flags_type = { .kind = QAPI_KIND_LIST, .element = &qapi_type_bool };
static const QapiType tags_type = { .kind = QAPI_KIND_LIST, .element = &qapi_type_string };

#define POINTER(member) G_STRUCT_OFFSET(Drawing, member), QAPI_BY_POINTER
#define SCALAR(member) G_STRUCT_OFFSET(Drawing, member), G_STRUCT_OFFSET(Drawing, has_##member)

static const QapiMember drawing_members[] = {
    { "title", POINTER(title), &qapi_type_string },
    { "shapes", POINTER(shapes), &shapes_type },
    { "size", POINTER(size), &size_type },
    { "colour", SCALAR(colour), &colour_type },
    { "picture", POINTER(picture), &qapi_type_base64 },
    { "extra", POINTER(extra), &qapi_type_any },
    { "flags", POINTER(flags), &flags_type },
    { "level", SCALAR(level), &qapi_type_uint8 },
    { "count", SCALAR(count), &qapi_type_uint64 },
    { "offset", SCALAR(offset), &qapi_type_int16 },
    { "ratio", SCALAR(ratio), &qapi_type_number },
    { "tags", POINTER(tags), &tags_type },
    { "origin", POINTER(origin), &point_type },
};
static const guint8 drawing_order[] = { 6, 5, 12, 1, 3, 11, 9, 8, 7, 2, 4, 0, 10 };
const QapiType drawing_type = {
    .name = "Drawing",
    .kind = QAPI_KIND_STRUCT,
    .size = sizeof(Drawing),
    .n_members = G_N_ELEMENTS(drawing_members),
    .members = drawing_members,
    .wire_order = drawing_order,
};

#undef POINTER
#undef SCALAR
#define POINTER(member) G_STRUCT_OFFSET(Paging, member), QAPI_BY_POINTER
#define SCALAR(member) G_STRUCT_OFFSET(Paging, member), G_STRUCT_OFFSET(Paging, has_##member)

static const QapiMember paging_members[] = {
    { "since", POINTER(since), &qapi_type_string },
    { "cursor", POINTER(cursor), &qapi_type_string },
    { "limit", SCALAR(limit), &qapi_type_uint32 },
    { "max-bytes", SCALAR(max_bytes), &qapi_type_uint32 },
    { "columns", POINTER(columns), &tags_type },
};
static const guint8 paging_order[] = { 0, 1, 2, 3, 4 };
const QapiType paging_type = {
    .name = "Paging",
    .kind = QAPI_KIND_STRUCT,
    .size = sizeof(Paging),
    .n_members = G_N_ELEMENTS(paging_members),
    .members = paging_members,
    .wire_order = paging_order,
};
