/* Generated from extended.json by qapigen: do not edit. */
#pragma once

#include "runtime/qapi-type.h"

typedef struct GuestA GuestA;

struct GuestA {
    gint64 x;
};
extern const QapiType guest_a_type;
void guest_a_free(GuestA *object);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestA, guest_a_free)
