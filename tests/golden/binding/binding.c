/* Generated from binding.json by qapigen: do not edit. */
#include "client/binding.h"

static const QapiType string_list_type = {
    .name = "strList",
    .kind = QAPI_KIND_LIST,
    .element = &qapi_type_string,
};

static const char *const guest_state_values[] = { "idle", "busy" };

const QapiType guest_state_type = {
    .name = "GuestState",
    .kind = QAPI_KIND_ENUM,
    .size = sizeof(GuestState),
    .n_values = 2,
    .values = guest_state_values,
};

G_STATIC_ASSERT(sizeof(GuestA) <= G_MAXINT16);

static const QapiMember guest_a_members[] = {
    { "x", offsetof(GuestA, x), QAPI_MANDATORY, &qapi_type_int64 },
    { "y", offsetof(GuestA, y), QAPI_MANDATORY, &qapi_type_base64 },
};

static const guint8 guest_a_order[] = { 0, 1 };

const QapiType guest_a_type = {
    .name = "GuestA",
    .kind = QAPI_KIND_STRUCT,
    .size = sizeof(GuestA),
    .n_members = 2,
    .members = guest_a_members,
    .wire_order = guest_a_order,
};

void
guest_a_free(GuestA *object)
{
    qapi_free(&guest_a_type, object);
}

G_STATIC_ASSERT(sizeof(GuestExecArgs) <= G_MAXINT16);

static const QapiMember guest_exec_args_members[] = {
    { "path", offsetof(GuestExecArgs, path), QAPI_MANDATORY, &qapi_type_string },
    { "args", offsetof(GuestExecArgs, args), QAPI_BY_POINTER, &string_list_type },
};

static const guint8 guest_exec_args_order[] = { 1, 0 };

const QapiType guest_exec_args_type = {
    .name = "GuestExecArgs",
    .kind = QAPI_KIND_STRUCT,
    .size = sizeof(GuestExecArgs),
    .n_members = 2,
    .members = guest_exec_args_members,
    .wire_order = guest_exec_args_order,
};
