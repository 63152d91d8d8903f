/* Generated from manual.json by qapigen: do not edit. */
#pragma once

#include "runtime/qapi-type.h"

/* What animals eat. */
typedef enum {
    GUEST_FOOD_HAY,
    GUEST_FOOD_FISH,
} GuestFood;
extern const QapiType guest_food_type;

typedef struct GuestAnimal GuestAnimal;
typedef struct GuestPortion GuestPortion;
typedef struct GuestBundle GuestBundle;
typedef struct GuestAmount GuestAmount;

/* One animal. */
struct GuestAnimal {
    /* what it is called; over two lines */
    char *name;
    /* how many of them; a long text that has to be wrapped in the header and in the manual
     * because it does not fit on one line */
    gboolean has_legs;
    guint8 legs;
    /* a picture */
    GBytes *photo;
};
extern const QapiType guest_animal_type;
void guest_animal_free(GuestAnimal *object);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestAnimal, guest_animal_free)

/* A bundle. */
struct GuestBundle {
    /* in grams */
    guint32 weight;
};
extern const QapiType guest_bundle_type;

/* How much of it. */
struct GuestPortion {
    /* what it is */
    GuestFood kind;
    union {
        GuestBundle hay;
    } u;
};
extern const QapiType guest_portion_type;
void guest_portion_free(GuestPortion *object);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestPortion, guest_portion_free)

typedef enum {
    GUEST_AMOUNT_PIECES, GUEST_AMOUNT_PORTION,
} GuestAmountBranch;

/* How much, in one way or another. */
struct GuestAmount {
    QapiBranch branch; /* a GuestAmountBranch */
    union {
        /* so many pieces */
        gint64 pieces;
        /* a portion */
        GuestPortion *portion;
    } u;
};
extern const QapiType guest_amount_type;
void guest_amount_free(GuestAmount *object);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestAmount, guest_amount_free)
