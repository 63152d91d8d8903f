/* Generated from conditions.json by qapigen: do not edit. */
#pragma once

#include "runtime/qapi-type.h"

typedef enum {
    GUEST_MODE_PLAIN,
    GUEST_MODE_WITH_A,
    GUEST_MODE_WITHOUT_C,
} GuestMode;
extern const QapiType guest_mode_type;

typedef struct GuestParts GuestParts;
typedef struct GuestKinds GuestKinds;
typedef struct GuestEither GuestEither;
typedef struct GuestHereArgs GuestHereArgs;

struct GuestParts {
    gint64 always;
    gint64 both;
    gint64 either;
};
extern const QapiType guest_parts_type;
void guest_parts_free(GuestParts *object);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestParts, guest_parts_free)

struct GuestKinds {
    GuestMode mode;
    union {
        GuestParts with_a;
    } u;
};
extern const QapiType guest_kinds_type;
void guest_kinds_free(GuestKinds *object);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestKinds, guest_kinds_free)

typedef enum {
    GUEST_EITHER_NUMBER, GUEST_EITHER_TEXT,
} GuestEitherBranch;

struct GuestEither {
    QapiBranch branch; /* a GuestEitherBranch */
    union {
        gint64 number;
        char *text;
    } u;
};
extern const QapiType guest_either_type;
void guest_either_free(GuestEither *object);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestEither, guest_either_free)

struct GuestHereArgs {
    gint64 a;
};
extern const QapiType guest_here_args_type;
