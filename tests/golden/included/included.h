/* Generated from included.json by qapigen: do not edit. */
#pragma once

#include "runtime/qapi-type.h"

/* A colour. */
typedef enum {
    GUEST_COLOUR_RED,
    GUEST_COLOUR_BLUE,
} GuestColour;
extern const QapiType guest_colour_type;

typedef struct GuestCar GuestCar;

/* A car. */
struct GuestCar {
    /* of its outside */
    GuestColour colour;
};
extern const QapiType guest_car_type;
void guest_car_free(GuestCar *object);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestCar, guest_car_free)
