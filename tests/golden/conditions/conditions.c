/* Generated from conditions.json by qapigen: do not edit. */
#include "gen/conditions.h"

static const char *const guest_mode_values[] = { "plain", "with-a", "without-c" };

const QapiType guest_mode_type = {
    .name = "GuestMode",
    .kind = QAPI_KIND_ENUM,
    .size = sizeof(GuestMode),
    .n_values = 3,
    .values = guest_mode_values,
};

G_STATIC_ASSERT(sizeof(GuestParts) <= G_MAXINT16);

static const QapiMember guest_parts_members[] = {
    { "always", offsetof(GuestParts, always), QAPI_MANDATORY, &qapi_type_int64 },
    { "both", offsetof(GuestParts, both), QAPI_MANDATORY, &qapi_type_int64 },
    { "either", offsetof(GuestParts, either), QAPI_MANDATORY, &qapi_type_int64 },
};

static const guint8 guest_parts_order[] = { 0, 1, 2 };

const QapiType guest_parts_type = {
    .name = "GuestParts",
    .kind = QAPI_KIND_STRUCT,
    .size = sizeof(GuestParts),
    .n_members = 3,
    .members = guest_parts_members,
    .wire_order = guest_parts_order,
};

void
guest_parts_free(GuestParts *object)
{
    qapi_free(&guest_parts_type, object);
}

G_STATIC_ASSERT(sizeof(GuestKinds) <= G_MAXINT16);

static const QapiMember guest_kinds_as_with_a_members[] = {
    { "mode", offsetof(GuestKinds, mode), QAPI_MANDATORY, &guest_mode_type },
    { "always", offsetof(GuestKinds, u.with_a.always), QAPI_MANDATORY, &qapi_type_int64 },
    { "both", offsetof(GuestKinds, u.with_a.both), QAPI_MANDATORY, &qapi_type_int64 },
    { "either", offsetof(GuestKinds, u.with_a.either), QAPI_MANDATORY, &qapi_type_int64 },
};

static const guint8 guest_kinds_as_with_a_order[] = { 1, 2, 3, 0 };

static const QapiType guest_kinds_as_with_a_type = {
    .name = "GuestKinds",
    .kind = QAPI_KIND_STRUCT,
    .size = sizeof(GuestKinds),
    .n_members = 4,
    .members = guest_kinds_as_with_a_members,
    .wire_order = guest_kinds_as_with_a_order,
};

static const QapiMember guest_kinds_base_only_members[] = {
    { "mode", offsetof(GuestKinds, mode), QAPI_MANDATORY, &guest_mode_type },
};

static const guint8 guest_kinds_base_only_order[] = { 0 };

static const QapiType guest_kinds_base_only_type = {
    .name = "GuestKinds",
    .kind = QAPI_KIND_STRUCT,
    .size = sizeof(GuestKinds),
    .n_members = 1,
    .members = guest_kinds_base_only_members,
    .wire_order = guest_kinds_base_only_order,
};

static const QapiType *const guest_kinds_branches[] = {
    &guest_kinds_base_only_type, &guest_kinds_as_with_a_type, &guest_kinds_base_only_type,
};

const QapiType guest_kinds_type = {
    .name = "GuestKinds",
    .kind = QAPI_KIND_UNION,
    .size = sizeof(GuestKinds),
    .n_members = 1,
    .members = guest_kinds_base_only_members,
    .discriminator = 0,
    .branches = guest_kinds_branches,
};

void
guest_kinds_free(GuestKinds *object)
{
    qapi_free(&guest_kinds_type, object);
}

G_STATIC_ASSERT(sizeof(GuestEither) <= G_MAXINT16);

static const QapiMember guest_either_members[] = {
    { "number", offsetof(GuestEither, u.number), QAPI_MANDATORY, &qapi_type_int64 },
    { "text", offsetof(GuestEither, u.text), QAPI_MANDATORY, &qapi_type_string },
};

const QapiType guest_either_type = {
    .name = "GuestEither",
    .kind = QAPI_KIND_ALTERNATE,
    .size = sizeof(GuestEither),
    .n_members = 2,
    .members = guest_either_members,
};

void
guest_either_free(GuestEither *object)
{
    qapi_free(&guest_either_type, object);
}

G_STATIC_ASSERT(sizeof(GuestHereArgs) <= G_MAXINT16);

static const QapiMember guest_here_args_members[] = {
    { "a", offsetof(GuestHereArgs, a), QAPI_MANDATORY, &qapi_type_int64 },
};

static const guint8 guest_here_args_order[] = { 0 };

const QapiType guest_here_args_type = {
    .name = "GuestHereArgs",
    .kind = QAPI_KIND_STRUCT,
    .size = sizeof(GuestHereArgs),
    .n_members = 1,
    .members = guest_here_args_members,
    .wire_order = guest_here_args_order,
};
