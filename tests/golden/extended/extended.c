/* Generated from extended.json by qapigen: do not edit. */
#include "gen/extended.h"

G_STATIC_ASSERT(sizeof(GuestA) <= G_MAXINT16);

static const QapiMember guest_a_members[] = {
    { "x", offsetof(GuestA, x), QAPI_MANDATORY, &qapi_type_int64 },
};

static const guint8 guest_a_order[] = { 0 };

const QapiType guest_a_type = {
    .name = "GuestA",
    .kind = QAPI_KIND_STRUCT,
    .size = sizeof(GuestA),
    .n_members = 1,
    .members = guest_a_members,
    .wire_order = guest_a_order,
};

void
guest_a_free(GuestA *object)
{
    qapi_free(&guest_a_type, object);
}
