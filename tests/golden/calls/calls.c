/* Generated from calls.json by qapigen: do not edit. */
#include "gen/calls.h"

static const char *const guest_state_values[] = { "idle", "busy" };

const QapiType guest_state_type = {
    .name = "GuestState",
    .kind = QAPI_KIND_ENUM,
    .size = sizeof(GuestState),
    .n_values = 2,
    .values = guest_state_values,
};

G_STATIC_ASSERT(sizeof(GuestPoint) <= G_MAXINT16);

static const QapiMember guest_point_members[] = {
    { "x", offsetof(GuestPoint, x), QAPI_MANDATORY, &qapi_type_int64 },
    { "y", offsetof(GuestPoint, y), offsetof(GuestPoint, has_y), &qapi_type_int64 },
};

static const guint8 guest_point_order[] = { 0, 1 };

const QapiType guest_point_type = {
    .name = "GuestPoint",
    .kind = QAPI_KIND_STRUCT,
    .size = sizeof(GuestPoint),
    .n_members = 2,
    .members = guest_point_members,
    .wire_order = guest_point_order,
};

void
guest_point_free(GuestPoint *object)
{
    qapi_free(&guest_point_type, object);
}

G_STATIC_ASSERT(sizeof(GuestTakesArgs) <= G_MAXINT16);

static const QapiMember guest_takes_args_members[] = {
    { "path", offsetof(GuestTakesArgs, path), QAPI_MANDATORY, &qapi_type_string },
    { "buf-b64", offsetof(GuestTakesArgs, buf_b64), QAPI_BY_POINTER, &qapi_type_string },
};

static const guint8 guest_takes_args_order[] = { 0, 1 };

const QapiType guest_takes_args_type = {
    .name = "GuestTakesArgs",
    .kind = QAPI_KIND_STRUCT,
    .size = sizeof(GuestTakesArgs),
    .n_members = 2,
    .members = guest_takes_args_members,
    .wire_order = guest_takes_args_order,
};

G_STATIC_ASSERT(sizeof(GuestNumberArgs) <= G_MAXINT16);

static const QapiMember guest_number_args_members[] = {
    { "a", offsetof(GuestNumberArgs, a), QAPI_MANDATORY, &qapi_type_number },
};

static const guint8 guest_number_args_order[] = { 0 };

const QapiType guest_number_args_type = {
    .name = "GuestNumberArgs",
    .kind = QAPI_KIND_STRUCT,
    .size = sizeof(GuestNumberArgs),
    .n_members = 1,
    .members = guest_number_args_members,
    .wire_order = guest_number_args_order,
};

G_STATIC_ASSERT(sizeof(GuestTextsArgs) <= G_MAXINT16);

static const QapiMember guest_texts_args_members[] = {
    { "state", offsetof(GuestTextsArgs, state), QAPI_MANDATORY, &guest_state_type },
};

static const guint8 guest_texts_args_order[] = { 0 };

const QapiType guest_texts_args_type = {
    .name = "GuestTextsArgs",
    .kind = QAPI_KIND_STRUCT,
    .size = sizeof(GuestTextsArgs),
    .n_members = 1,
    .members = guest_texts_args_members,
    .wire_order = guest_texts_args_order,
};

G_STATIC_ASSERT(sizeof(GuestPointsOfACommandWithANameThatIsFarTooLongArgs) <= G_MAXINT16);

static const QapiMember guest_points_of_a_command_with_a_name_that_is_far_too_long_args_members[] = {
    { "limit", offsetof(GuestPointsOfACommandWithANameThatIsFarTooLongArgs, limit), QAPI_MANDATORY,
      &qapi_type_int64 },
};

static const guint8 guest_points_of_a_command_with_a_name_that_is_far_too_long_args_order[] = {
    0,
};

const QapiType guest_points_of_a_command_with_a_name_that_is_far_too_long_args_type = {
    .name = "GuestPointsOfACommandWithANameThatIsFarTooLongArgs",
    .kind = QAPI_KIND_STRUCT,
    .size = sizeof(GuestPointsOfACommandWithANameThatIsFarTooLongArgs),
    .n_members = 1,
    .members = guest_points_of_a_command_with_a_name_that_is_far_too_long_args_members,
    .wire_order = guest_points_of_a_command_with_a_name_that_is_far_too_long_args_order,
};

G_STATIC_ASSERT(sizeof(GuestWaitCountArgs) <= G_MAXINT16);

static const QapiMember guest_wait_count_args_members[] = {
    { "limit", offsetof(GuestWaitCountArgs, limit), QAPI_MANDATORY, &qapi_type_int64 },
};

static const guint8 guest_wait_count_args_order[] = { 0 };

const QapiType guest_wait_count_args_type = {
    .name = "GuestWaitCountArgs",
    .kind = QAPI_KIND_STRUCT,
    .size = sizeof(GuestWaitCountArgs),
    .n_members = 1,
    .members = guest_wait_count_args_members,
    .wire_order = guest_wait_count_args_order,
};

const QapiType guest_point_list_type = {
    .name = "GuestPointList",
    .kind = QAPI_KIND_LIST,
    .element = &guest_point_type,
};
