/* Generated from included.json by qapigen: do not edit. */
#include "gen/included.h"

static const char *const guest_colour_values[] = { "red", "blue" };

const QapiType guest_colour_type = {
    .name = "GuestColour",
    .kind = QAPI_KIND_ENUM,
    .size = sizeof(GuestColour),
    .n_values = 2,
    .values = guest_colour_values,
};

G_STATIC_ASSERT(sizeof(GuestCar) <= G_MAXINT16);

static const QapiMember guest_car_members[] = {
    { "colour", offsetof(GuestCar, colour), QAPI_MANDATORY, &guest_colour_type },
};

static const guint8 guest_car_order[] = { 0 };

const QapiType guest_car_type = {
    .name = "GuestCar",
    .kind = QAPI_KIND_STRUCT,
    .size = sizeof(GuestCar),
    .n_members = 1,
    .members = guest_car_members,
    .wire_order = guest_car_order,
};

void
guest_car_free(GuestCar *object)
{
    qapi_free(&guest_car_type, object);
}
