/* Generated from manual.json by qapigen: do not edit. */
#include "gen/manual.h"

G_STATIC_ASSERT(sizeof(GuestAnimal) <= G_MAXINT16);

static const QapiMember guest_animal_members[] = {
    { "name", offsetof(GuestAnimal, name), QAPI_MANDATORY, &qapi_type_string },
    { "legs", offsetof(GuestAnimal, legs), offsetof(GuestAnimal, has_legs), &qapi_type_uint8 },
    { "photo", offsetof(GuestAnimal, photo), QAPI_MANDATORY, &qapi_type_base64 },
};

static const guint8 guest_animal_order[] = { 0, 2, 1 };

const QapiType guest_animal_type = {
    .name = "GuestAnimal",
    .kind = QAPI_KIND_STRUCT,
    .size = sizeof(GuestAnimal),
    .n_members = 3,
    .members = guest_animal_members,
    .wire_order = guest_animal_order,
};

void
guest_animal_free(GuestAnimal *object)
{
    qapi_free(&guest_animal_type, object);
}

static const char *const guest_food_values[] = { "hay", "fish" };

const QapiType guest_food_type = {
    .name = "GuestFood",
    .kind = QAPI_KIND_ENUM,
    .size = sizeof(GuestFood),
    .n_values = 2,
    .values = guest_food_values,
};

G_STATIC_ASSERT(sizeof(GuestPortion) <= G_MAXINT16);

static const QapiMember guest_portion_as_hay_members[] = {
    { "kind", offsetof(GuestPortion, kind), QAPI_MANDATORY, &guest_food_type },
    { "weight", offsetof(GuestPortion, u.hay.weight), QAPI_MANDATORY, &qapi_type_uint32 },
};

static const guint8 guest_portion_as_hay_order[] = { 1, 0 };

static const QapiType guest_portion_as_hay_type = {
    .name = "GuestPortion",
    .kind = QAPI_KIND_STRUCT,
    .size = sizeof(GuestPortion),
    .n_members = 2,
    .members = guest_portion_as_hay_members,
    .wire_order = guest_portion_as_hay_order,
};

static const QapiMember guest_portion_base_only_members[] = {
    { "kind", offsetof(GuestPortion, kind), QAPI_MANDATORY, &guest_food_type },
};

static const guint8 guest_portion_base_only_order[] = { 0 };

static const QapiType guest_portion_base_only_type = {
    .name = "GuestPortion",
    .kind = QAPI_KIND_STRUCT,
    .size = sizeof(GuestPortion),
    .n_members = 1,
    .members = guest_portion_base_only_members,
    .wire_order = guest_portion_base_only_order,
};

static const QapiType *const guest_portion_branches[] = {
    &guest_portion_as_hay_type, &guest_portion_base_only_type,
};

const QapiType guest_portion_type = {
    .name = "GuestPortion",
    .kind = QAPI_KIND_UNION,
    .size = sizeof(GuestPortion),
    .n_members = 1,
    .members = guest_portion_base_only_members,
    .discriminator = 0,
    .branches = guest_portion_branches,
};

void
guest_portion_free(GuestPortion *object)
{
    qapi_free(&guest_portion_type, object);
}

G_STATIC_ASSERT(sizeof(GuestBundle) <= G_MAXINT16);

static const QapiMember guest_bundle_members[] = {
    { "weight", offsetof(GuestBundle, weight), QAPI_MANDATORY, &qapi_type_uint32 },
};

static const guint8 guest_bundle_order[] = { 0 };

const QapiType guest_bundle_type = {
    .name = "GuestBundle",
    .kind = QAPI_KIND_STRUCT,
    .size = sizeof(GuestBundle),
    .n_members = 1,
    .members = guest_bundle_members,
    .wire_order = guest_bundle_order,
};

G_STATIC_ASSERT(sizeof(GuestAmount) <= G_MAXINT16);

static const QapiMember guest_amount_members[] = {
    { "pieces", offsetof(GuestAmount, u.pieces), QAPI_MANDATORY, &qapi_type_int64 },
    { "portion", offsetof(GuestAmount, u.portion), QAPI_MANDATORY, &guest_portion_type },
};

const QapiType guest_amount_type = {
    .name = "GuestAmount",
    .kind = QAPI_KIND_ALTERNATE,
    .size = sizeof(GuestAmount),
    .n_members = 2,
    .members = guest_amount_members,
};

void
guest_amount_free(GuestAmount *object)
{
    qapi_free(&guest_amount_type, object);
}
